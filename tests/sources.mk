# tests: sources
