# Fetches hdr-histogram-js and lets it read the latency files that echobench writes:
# cmake -D npm=... -D node=... -D charts=bench/report/page/charts -D scratch=folder
#       -D program=hdr_reader_test -P run.cmake
include(${charts}/packages.cmake)
foreach(name read.mjs package.json package-lock.json .npmrc)
  file(COPY ${CMAKE_CURRENT_LIST_DIR}/${name} DESTINATION ${scratch})
endforeach()
install_packages(${npm} ${scratch} problem)
if(problem)
  message("skipped: npm could not fetch a reader of HdrHistogram's files: ${problem}")
  return()
endif()
execute_process(COMMAND ${program} --log_level=message -- ${node} ${scratch}/read.mjs
  RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "the reader found something else: ${failed}")
endif()
