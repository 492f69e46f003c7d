# rouse, the shell's side.
