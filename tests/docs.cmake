# Fails if a number that a document quotes from a run in docs/runs differs from the run:
# cmake -D echobench=... -D root=... -P docs.cmake
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
