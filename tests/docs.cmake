# Fails if a number that a document quotes from a run in docs/runs differs from the run, or if
# docs/example.html is not the page of docs/runs/default:
# cmake -D echobench=... -D root=... -D scratch=folder -P docs.cmake
file(GLOB runs RELATIVE ${root}
  ${root}/docs/runs/*/run.ndjson.gz ${root}/docs/runs/*.json ${root}/docs/runs/*.json.gz)
if(NOT runs)
  message("skipped: docs/runs holds no run, so that no document can differ from one")
  return()
endif()
file(GLOB documents RELATIVE ${root} ${root}/README.md ${root}/docs/*.md)
foreach(run ${runs})
  execute_process(COMMAND ${echobench} report ${run} --splice ${documents} --check
    WORKING_DIRECTORY ${root} RESULT_VARIABLE failed)
  if(failed)
    list(JOIN documents " " names)
    message(SEND_ERROR "to fill them: bench/run report ${run} --splice ${names}")
  endif()
endforeach()

set(run docs/runs/default)
file(REMOVE_RECURSE ${scratch})
file(COPY ${root}/${run}/run.ndjson.gz DESTINATION ${scratch})
execute_process(COMMAND ${echobench} report ${scratch} OUTPUT_QUIET)
file(READ ${scratch}/report.html made)
file(READ ${root}/docs/example.html committed)
if(NOT made MATCHES "id=\"packed-script\"")
  message("not compared: docs/example.html has charts, and this build makes pages without them")
elseif(NOT made STREQUAL committed)
  message(SEND_ERROR "docs/example.html is not the page of ${run}; to make it anew: "
    "bench/run report ${run} && cp ${run}/report.html docs/example.html")
endif()
