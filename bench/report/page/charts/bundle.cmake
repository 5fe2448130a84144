# Bundles the page's script with the packages of the lock file. If they cannot be fetched, for
# example offline, the build goes on and the page has tables only.
#
#   cmake -D NPM=... -D NODE=... -D SOURCE=bench/report/page/charts -D WORK=folder -D OUTPUT=x.cpp
#         -D FALLBACK=y.cpp -D NO_CHARTS=file -P bundle.cmake
include(${CMAKE_CURRENT_LIST_DIR}/packages.cmake)
file(GLOB sources ${SOURCE}/*.js ${SOURCE}/*.mjs)
file(MAKE_DIRECTORY ${WORK})
file(COPY ${sources} ${SOURCE}/package.json ${SOURCE}/package-lock.json ${SOURCE}/.npmrc
  DESTINATION ${WORK})

# Writes the source without a script, with the reason in it. The next configure removes it, so that
# the build after it tries again.
function(keep_the_tables reason details)
  string(REGEX REPLACE "[\r\n]+" " " line "${reason} when this was built: ${details}")
  string(STRIP "${line}" line)
  message(NOTICE "The HTML report will have tables and no charts: ${line}")
  file(WRITE ${NO_CHARTS} "${line}\n")
  file(READ ${FALLBACK} stand_in)
  string(REPLACE "this was built without Node.js" "${reason} when this was built"
    stand_in "${stand_in}")
  file(WRITE ${OUTPUT} "${stand_in}")
endfunction()

install_packages(${NPM} ${WORK} problem)
if(problem)
  keep_the_tables("npm could not fetch their packages" "${problem}")
  return()
endif()

execute_process(COMMAND ${NODE} build.mjs ${OUTPUT} WORKING_DIRECTORY ${WORK}
  RESULT_VARIABLE failed ERROR_VARIABLE said)
if(failed)
  keep_the_tables("bundling them failed" "${said}")
endif()
