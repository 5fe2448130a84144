// A program that knows only the shared library.
int sum_by_fibers(int first, int second);

int main() {
  return sum_by_fibers(40, 2) == 42 ? 0 : 1;
}
