# Installs the packages that a lock file names, once for each state of it, into the folder where the
# lock file lies. `problem` becomes what npm said where it could not.
function(install_packages npm folder problem)
  file(SHA256 ${folder}/package-lock.json locked)
  if(EXISTS ${folder}/installed-${locked})
    return()
  endif()
  execute_process(
    COMMAND ${npm} ci --ignore-scripts --no-audit --no-fund --prefer-offline --fetch-retries=0
      --fetch-timeout=60000 --loglevel=error
    WORKING_DIRECTORY ${folder} RESULT_VARIABLE failed OUTPUT_QUIET ERROR_VARIABLE said TIMEOUT 300)
  if(failed)
    # The line that gives a reason, else the first two; where npm said nothing, its time was over.
    if(NOT said MATCHES "[^\n]*reason: [^\n]*")
      if(NOT said MATCHES "npm (error|ERR!) [^\n]*\n?[^\n]*")
        set(CMAKE_MATCH_0 "${failed}")
      endif()
    endif()
    string(REGEX REPLACE "npm (error|ERR!) |FetchError: " "" said "${CMAKE_MATCH_0}")
    set(${problem} "${said}" PARENT_SCOPE)
    return()
  endif()
  file(TOUCH ${folder}/installed-${locked})
endfunction()
