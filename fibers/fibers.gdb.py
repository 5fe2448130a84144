# Commands of gdb for fibers, in a running process or a core dump:
#
#     (gdb) source fibers/fibers.gdb.py
#     (gdb) info fibers                 every fiber: number, state, name
#     (gdb) fiber 7                     the backtrace of fiber 7
#     (gdb) fiber all                   the backtraces of all fibers that are not running
#
# The numbers are those of fiber::id(). Several schedulers use the same numbers; then every fiber
# with the number is shown. The program must be compiled with -g, for x86-64.
import gdb
import gdb.unwinder


def queues():
    try:
        pointer = gdb.lookup_type("fibers::task_queue").pointer()
        newest = gdb.parse_and_eval("(long)&'fibers::task_queue::newest_'")
    except gdb.error as error:
        raise gdb.GdbError("no fibers here, or they were compiled without -g: %s" % error)
    queue = newest.cast(pointer.pointer()).dereference()
    while queue != 0:
        yield queue.dereference()
        queue = queue["older_"]


def fibers():
    """Every fiber alive. The list's nodes are members of the fibers."""
    fiber = gdb.lookup_type("fibers::fiber")
    hook = next(field for field in fiber.fields() if field.name == "all_hook_")
    for queue in queues():
        root = queue["known_"]["data_"]["root_plus_size_"]["m_header"].address
        root = root.cast(gdb.lookup_type("unsigned long"))
        node_type = gdb.lookup_type("boost::intrusive::list_node<void*>").pointer()
        node = root.cast(node_type)["next_"]
        while int(node) != int(root):
            address = int(node) - hook.bitpos // 8
            found = gdb.Value(address).cast(fiber.pointer()).dereference()
            if state_of(found) != "finished":  # a handle keeps its record
                yield found
            node = node["next_"]


def state_of(fiber):
    return str(fiber["state_"]).rsplit("::", 1)[-1]


def name_of(fiber):
    name = fiber["name_"]
    return name["_M_str"].string(length=int(name["_M_len"])) if name["_M_len"] else ""


def title_of(fiber):
    return "fiber %d, %s, \"%s\"" % (fiber["id_"], state_of(fiber), name_of(fiber))


def read_word(address):
    word = gdb.lookup_type("unsigned long").pointer()
    return int(gdb.Value(address).cast(word).dereference())


def saved_registers(fiber):
    """What jump_fcontext left on the fiber's stack: r12 to r15, rbx, rbp and where it goes on."""
    coroutine = fiber["body_"]["_M_payload"]["_M_payload"]["_M_value"]
    stack_pointer = int(coroutine["inside_"]["stack_pointer"])
    # The first instruction of jump_fcontext, lea -SIZE(%rsp),%rsp, tells how much it saves. SIZE
    # differs between versions of Boost.
    size = 256 - read_word(int(gdb.parse_and_eval("(long)&jump_fcontext"))).to_bytes(8, "little")[4]
    names = ["r12", "r13", "r14", "r15", "rbx", "rbp", "rip"]
    first = stack_pointer + size - 8 * (len(names) - 1)
    registers = {name: read_word(first + 8 * i) for i, name in enumerate(names)}
    registers["rsp"] = stack_pointer + size + 8
    return registers


class Frame_id:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class Fiber_unwinder(gdb.unwinder.Unwinder):
    """Makes the fiber looked at the caller of the innermost frame."""

    def __init__(self):
        super().__init__("fibers")
        self.registers = None

    def __call__(self, frame):
        if self.registers is None or frame.level() != 0:
            return None
        # The frame must seem to lie below its caller, or gdb reports a corrupt stack.
        here = Frame_id(gdb.Value(self.registers["rsp"] - 8), frame.read_register("rip"))
        caller = frame.create_unwind_info(here)
        for name, value in self.registers.items():
            kind = frame.read_register(name).type
            caller.add_saved_register(name, gdb.Value(value).cast(kind))
        return caller

    def backtrace(self, registers):
        self.registers = registers
        gdb.invalidate_cached_frames()
        try:
            lines = gdb.execute("backtrace", to_string=True).splitlines()
        finally:
            self.registers = None
            gdb.invalidate_cached_frames()
        # Frame 0 is the thread's own frame, whatever it runs. Nothing lies below
        # coroutine::entry().
        ours = [line for line in lines if not line.startswith("#0 ")]
        last = next((i for i, line in enumerate(ours) if "coroutine::entry<" in line), len(ours))
        return ours[: last + 1]


unwinder = Fiber_unwinder()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)


class Info_fibers(gdb.Command):
    """Every fiber: number, state and name."""

    def __init__(self):
        super().__init__("info fibers", gdb.COMMAND_STATUS)

    def invoke(self, _argument, _from_tty):
        for fiber in fibers():
            print(title_of(fiber))


class Show_fiber(gdb.Command):
    """fiber NUMBER, or fiber all: the backtrace of a fiber that is not running."""

    def __init__(self):
        super().__init__("fiber", gdb.COMMAND_STACK)

    def invoke(self, argument, _from_tty):
        wanted = argument.strip()
        if wanted != "all" and not wanted.isdigit():
            raise gdb.GdbError("fiber takes the number of a fiber, or all; see info fibers")
        found = [f for f in fibers() if wanted == "all" or int(f["id_"]) == int(wanted)]
        if wanted != "all" and not found:
            raise gdb.GdbError("there is no fiber %s; see info fibers" % wanted)
        for fiber in found:
            print(title_of(fiber))
            if state_of(fiber) == "running":
                print("    on its thread: see info threads")
            else:
                print("\n".join(unwinder.backtrace(saved_registers(fiber))))


Info_fibers()
Show_fiber()
