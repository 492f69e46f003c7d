# doc

dist_man_MANS += doc/rouse.1
