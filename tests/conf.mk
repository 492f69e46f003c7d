# tests: conf
