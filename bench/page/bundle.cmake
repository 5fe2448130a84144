# Bundles the page's script with the packages of the lock file. Without them, as on a machine that
# is offline, the build goes on and the page keeps its tables.
#
#   cmake -D NPM=... -D NODE=... -D SOURCE=bench/page -D WORK=folder -D OUTPUT=x.cpp
#         -D FALLBACK=y.cpp -P bundle.cmake
include(${CMAKE_CURRENT_LIST_DIR}/packages.cmake)
file(GLOB sources ${SOURCE}/*.js ${SOURCE}/*.mjs)
file(MAKE_DIRECTORY ${WORK})
file(COPY ${sources} ${SOURCE}/package.json ${SOURCE}/package-lock.json ${SOURCE}/.npmrc
  DESTINATION ${WORK})

function(keep_the_tables reason)
  message(WARNING "The HTML report will have tables and no charts: ${reason}\n"
    "To try again, remove ${OUTPUT} and build.")
  file(COPY_FILE ${FALLBACK} ${OUTPUT})
endfunction()

install_packages(${NPM} ${WORK} problem)
if(problem)
  keep_the_tables("${problem}")
  return()
endif()

execute_process(COMMAND ${NODE} build.mjs ${OUTPUT} WORKING_DIRECTORY ${WORK}
  RESULT_VARIABLE failed ERROR_VARIABLE said)
if(failed)
  keep_the_tables("the bundle failed (${said})")
endif()
