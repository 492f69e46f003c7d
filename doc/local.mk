# doc

# configuration

dist_man_MANS += doc/roused.yaml.5
