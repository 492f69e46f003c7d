# tests: lib
