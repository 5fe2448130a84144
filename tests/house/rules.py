"""The limits that tests/house/check.py enforces, and the exceptions with their reasons."""

# A folder of bench/ includes only folders that come before it in this list.
ROOMS = (
    "contract statistics text record machine load server hosts measure analysis report compare duel doctor"
    " selftest command"
).split()
# These folders are not in that list. Each may include only the folders named here.
MAY_INCLUDE = {
    "floor": ["contract"],
    "peers": ["contract"],
    "asio_baseline": ["contract"],
    "micro": ["contract", "floor", "fibers"],
    # The same server by each library, side by side.
    "http": ["contract", "floor", "fibers", "asio_baseline"],
    "fields": ["contract", "floor", "fibers", "asio_baseline"],
    "tls": ["contract", "floor", "fibers", "asio_baseline"],
}

# A file of fibers/ includes only files that come before it in this list. A name without an extension
# stands for a header and its source.
LIBRARY = """
    error memory/sanitizer memory/valgrind memory/valgrind_absent.cpp memory/stack memory/stack_overflow.cpp
    coroutine generator time/clock time/timer_queue task_queue time/deadline wait_queue
    mutex condition_variable semaphore channel wait_group fiber_handle nursery print_fibers
    gather reactor blocking
    reactors/make_reactor.hpp reactors/edge_set reactors/timer_descriptor reactors/byte_calls
    reactors/readiness
    reactors/select reactors/poll reactors/epoll reactors/gather_control reactors/submit_and_gather
    reactors/io_uring reactors/io_uring_absent
    reactors/make_reactor.cpp
    this_fiber.hpp post_queue scheduler this_fiber.cpp
    socket stream_socket tcp local runtime
    test.hpp reactors/simulated test.cpp
""".split()

ROOM_SIZE = 18
ROOM_SIZES = {
    "fibers": 46,  # one public header for each concept, and its source or sources
    "fibers/reactors": 24,
}

FILE_LINES = 400
TEST_LINES = 700  # higher, because tests are read one by one
LONG_FILES = {
    "fibers/reactors/readiness.cpp": "what select, poll and epoll share",
    "fibers/reactors/io_uring.cpp": "one ring: each operation takes part in its queue, buffers and end",
    "bench/micro/sleep.cpp": "the same sleep on fibers, on Asio and on bare system calls",
}
FUNCTION_LINES = 50
LONG_FUNCTIONS = {}

# Headers outside reactors/ that are not installed, each with the reason why no user needs it.
PRIVATE_HEADERS = {
    "memory/valgrind.hpp": "only sources include it",
    "programs/tcp_server.hpp": "of the servers under test, which are programs",
}

# Units and whole folders that have no test of the same name, and the reason or the test that covers
# them.
WITHOUT_TEST = {
    "bench/command": "tests/bench/command/echobench_test.cpp runs the program",
    "bench/floor": "tests/bench/contract/ runs every server",
    "bench/tls": "tests/bench/tls/tls_server_test.cpp runs every server",
    "bench/peers": "tests/bench/contract/ runs thread_echo; tests/bench/server/peer_test.cpp the others",
    "bench/http": "tests/bench/http/http_server_test.cpp runs every server",
    "bench/fields": "tests/bench/fields/fields_server_test.cpp runs every server",
    "bench/micro": "prints figures and decides nothing",
    "bench/report/page": "tests/bench/report/page_test.cpp opens the page in a browser",
    "bench/analysis/block_values": "analysis_test, through analyse()",
    "bench/compare/tables": "compare_test",
    "bench/contract/debug_build": "one constant",
    "bench/contract/descriptor": "owns a descriptor and nothing else",
    "bench/contract/log": "tests/bench/contract/contract_test.cpp and path_test.cpp, from outside",
    "bench/contract/options": "tests/bench/contract/contract_test.cpp, from outside",
    "bench/contract/refused_option": "options_test and contract_test",
    "bench/contract/standard_descriptors": "path_test and echobench_test, from outside",
    "bench/contract/version": "contract_test, and tests/bench/command/manners_test.cpp",
    "bench/doctor/kernel": "asks the kernel; doctor_test examines what it may answer",
    "bench/doctor/limits": "doctor_test",
    "bench/doctor/processors": "doctor_test",
    "bench/doctor/remarks": "doctor_test",
    "bench/duel/full_screen": "duel_test, in a terminal",
    "bench/duel/player": "duel_test, in a terminal",
    "bench/duel/replay": "duel_test, in a terminal, and echobench_test",
    "bench/load/echo_connection": "generator_test",
    "bench/load/event_wait": "generator_test",
    "bench/load/secure/client_socket": "tls_session_test and generator_test",
    "bench/load/failure_form": "outcome_test, and tests/bench/hosts/ranks/orders_test.cpp",
    "bench/load/client": "an interface; generator_test and tests/bench/hosts/fleet_test.cpp",
    "bench/hosts/ranks/description": "participant_test: each_rank_says_what_it_is",
    "bench/hosts/mpi": "tests/bench/hosts/over_mpi/ runs the program",
    "bench/hosts/ranks/transport": "an interface; participant_test and tests/bench/hosts/over_mpi/",
    "bench/measure/recorder": "resume_test",
    "bench/measure/test_bed": "an interface; runner_test has a fake, live_test_bed_test the real one",
    "bench/record/block_kind": "an enumeration",
    "bench/record/fields": "names only; record_test reads them back",
    "bench/record/run_folder": "echobench_test",
    "bench/report/document/excerpt": "splice_test",
    "bench/report/document/micro": "splice_test",
    "bench/report/forms": "the list of forms; report_test writes each",
    "bench/report/tables": "table_test and report_test",
    "bench/report/trust": "report_test",
    "bench/contract/structures": "tests/bench/load/conversation/fields_test.cpp",
    "bench/load/conversation/conversation": "the tests beside it, and generator_test",
    "bench/record/service": "scenario_test",
    "bench/contract/acknowledgements": "server_test, on every server that has --ack",
    "bench/selftest/odd_server": "process_test and live_test_bed_test start it",
    "bench/hosts/servers/main": "on_test starts it",
    "bench/hosts/servers/orders": "remote_test, whose orders and answers all go through it",
    "bench/hosts/servers/service": "remote_test starts it as the program that it is",
    "bench/server/anywhere/running": "an interface; process_test and remote_test have its two kinds",
    "bench/server/family": "process_test",
    "bench/server/keeper": "process_test",
    "bench/server/listening_line": "process_test",
    "bench/server/output": "process_test",
    "bench/server/spawn": "process_test",
    "bench/text/described_json": "record_test and report_test read back what it writes",
    "bench/text/failure": "types only",
    "bench/text/forest_line": "report_test",
    "bench/text/terminal": "report_test",
    "bench/text/wrapped": "report_test",
    "fibers/gather": "reactors/gather_control_test, and reactors/submit_and_gather_test",
    "fibers/programs": "programs_test, and tests/bench/contract/ for the server",
    "fibers/reactors": "reactor_test holds on every reactor",
    "fibers/blocking": "tcp_test, through streams",
    "fibers/error": "every test of an error of the world",
    "fibers/reactor": "tests/fibers/reactors/reactor_test.cpp",
    "fibers/memory/sanitizer": "planted_faults_test, under each sanitizer",
    "fibers/memory/stack_overflow": "stack_test and task_queue_stacks_test, whose roles overflow",
    "fibers/stream_socket": "tcp_test, stream_end_test and stream_close_test",
    "fibers/memory/valgrind_absent": "does nothing",
    "fibers/wait_queue": "mutex_test, semaphore_test and channel_test",
}

# Patterns that comments and documents must not contain, and the advice that check.py prints.
NOT_PLAIN = {
    r"\b(ns|us|µs|KiB|cycles|calls|instructions) a (message|connection|fiber|sleep|block|round)\b": 'write "per"',
    r"\b(dearer|cheaper)\b": 'write "higher" or "lower", "more" or "less"',
}

SUBJECTS_SINCE = "8692bd3"  # the rule for commit subjects holds for later commits
