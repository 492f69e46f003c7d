# doc

# librouse

dist_man_MANS += doc/librouse.3
EXTRA_DIST += doc/examples/hub.c
