# tests: whole
