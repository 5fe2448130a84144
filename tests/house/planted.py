"""A tree that keeps every rule of check.py, and for each rule files that break it."""

LISTED = "target_sources(fibers PUBLIC FILE_SET HEADERS BASE_DIRS x FILES\n  memory/stack.hpp)\n"
GOOD = {"fibers/CMakeLists.txt": LISTED, "fibers/memory/stack.hpp": "// stack: memory.\n"}
LONG_FUNCTION = "int f(int a) {\n" + "  ++a;\n" * 50 + "}\n"

BROKEN = {
    "includes_point_down": {"bench/text/a.hpp": "#include <bench/record/record.hpp>\n"},
    "library_points_down": {"fibers/memory/stack.hpp": "#include <fibers/scheduler.hpp>\n"},
    "rooms_stay_small": {f"bench/text/file_{i}.hpp": "" for i in range(19)},
    "names_do_not_repeat_their_room": {"bench/report/report_csv.cpp": ""},
    "files_stay_short": {"bench/text/a.cpp": "\n" * 401},
    "functions_stay_short": {"bench/text/a.cpp": LONG_FUNCTION},
    "units_have_tests": {"bench/record/untested.cpp": ""},
    "comments_are_plain": {"bench/text/a.cpp": "// It costs 5 ns a message.\n"},
    "public_headers_are_the_list": {"fibers/private.hpp": ""},
}
BAD_SUBJECTS = ["Bench: say more", "bench say more", "bench: " + "x" * 66, "bench: say more."]


def planted(rules, subjects_are_short):
    unseen = []
    for rule in rules:
        tree = GOOD | BROKEN[rule.__name__]
        named = [each for each in rule(tree) if any(path[:-4] in each for path in BROKEN[rule.__name__])
                 or "bench/text/ holds" in each]
        if not named:
            unseen.append(f"{rule.__name__} does not see what breaks it")
    for subject in BAD_SUBJECTS:
        if not list(subjects_are_short([subject])):
            unseen.append(f"subjects_are_short takes '{subject}'")
    if list(subjects_are_short(["bench, tests: say more"])):
        unseen.append("subjects_are_short refuses 'bench, tests: say more'")
    return unseen
