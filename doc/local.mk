# Manuals and what they include.

dist_man_MANS += \
	doc/librouse.3 \
	doc/rouse.1 \
	doc/roused.8 \
	doc/roused.yaml.5
dist_doc_DATA += doc/design.md doc/performance.md doc/protocol.md doc/recipes.md
EXTRA_DIST += \
	doc/examples/hub.c \
	doc/performance/cost.svg \
	doc/performance/wake.svg \
	doc/performance/waiter.svg
