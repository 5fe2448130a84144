# Fails if a program was not linked and compiled as CMakeLists.txt wants it with FIBERS_HARDENED:
# cmake -D program=... -P hardened.cmake
find_program(readelf readelf)
if(NOT readelf)
  message("skipped: there is no readelf to look into a program with")
  return()
endif()
execute_process(COMMAND ${readelf} --wide --file-header --program-headers --dynamic --dyn-syms ${program}
  OUTPUT_VARIABLE found COMMAND_ERROR_IS_FATAL ANY)
foreach(mark "DYN \\(Position-Independent Executable" "GNU_RELRO" "BIND_NOW" "__stack_chk_fail" "_chk@")
  if(NOT found MATCHES "${mark}")
    message(SEND_ERROR "${program} has no ${mark}")
  endif()
endforeach()
