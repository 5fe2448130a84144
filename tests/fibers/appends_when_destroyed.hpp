// appends_when_destroyed: its destructor appends a letter to a text.
#pragma once

#include <string>

struct appends_when_destroyed {
  appends_when_destroyed(std::string& text, char letter) : diary{text}, name{letter} {}
  ~appends_when_destroyed() { diary += name; }

  std::string& diary;
  char name;
};
