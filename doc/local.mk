# doc

dist_man_MANS += doc/rouse.1
dist_man_MANS += doc/roused.yaml.5
