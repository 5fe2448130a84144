# Installs the packages that a lock file names into the folder of the lock file, once per content of
# the lock file. On failure sets `problem` to npm's message.
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
    # Takes the line with the reason, or else the first two lines. If npm printed nothing, it timed
    # out, and `failed` says so.
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
