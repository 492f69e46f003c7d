# tests: handles
