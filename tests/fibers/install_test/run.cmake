# Installs the library below ${scratch}, builds a program that uses it, and runs that program:
# cmake -D build=... -D scratch=... -D compiler=... -D flags=... -D type=... -P run.cmake
file(REMOVE_RECURSE ${scratch})
function(must_work)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(failed)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}: ${failed}\n${said}")
  endif()
endfunction()

function(configure folder)
  must_work(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${scratch}/${folder} -G Ninja
    -D CMAKE_PREFIX_PATH=${scratch}/installed -D CMAKE_BUILD_TYPE=${type}
    -D CMAKE_CXX_COMPILER=${compiler} "-D CMAKE_CXX_FLAGS=${ARGN}"
    -D every_header=${every_header})
endfunction()

must_work(${CMAKE_COMMAND} --install ${build} --prefix ${scratch}/installed)

# The program compiles every installed header, which fails if one includes a header that is not
# installed.
file(GLOB_RECURSE headers RELATIVE ${scratch}/installed/include ${scratch}/installed/include/fibers/*)
list(FILTER headers EXCLUDE REGEX "\\.py$")
if(headers MATCHES "fibers/reactors")
  message(FATAL_ERROR "reactors are no program's affair, and were installed")
endif()
list(TRANSFORM headers REPLACE "(.+)" "#include <\\1>\n")
string(CONCAT includes ${headers})
set(every_header ${scratch}/every_header.cpp)
file(WRITE ${every_header} "${includes}")

configure(build ${flags})
must_work(${CMAKE_COMMAND} --build ${scratch}/build)

# A program with a sanitizer that the library was built without must fail to link.
if(NOT flags MATCHES "-fsanitize=")
  set(every_header)  # one source suffices
  configure(sanitized -fsanitize=address)
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${scratch}/sanitized
    RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT failed OR NOT said MATCHES "library_has_the_same_sanitizers")
    message(FATAL_ERROR "a program with another sanitizer was linked: ${failed}\n${said}")
  endif()
endif()

must_work(${scratch}/build/user_of_shared)
execute_process(COMMAND ${scratch}/build/user_of_fibers RESULT_VARIABLE result ERROR_VARIABLE said)
if(result EQUAL 77)
  message("skipped: ${said}")
elseif(result)
  message(FATAL_ERROR "the program: ${result}\n${said}")
endif()
