# find_package(fibers) reads this file.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(Boost 1.81 COMPONENTS context)
include(${CMAKE_CURRENT_LIST_DIR}/fibersTargets.cmake)
