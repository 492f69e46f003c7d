# Configurations to read and to copy, and one that defines nothing. That one becomes the system's if
# there is none, so that the service can start; one that is there is never touched, and only one
# that nobody has changed is removed again.

EXTRA_DIST += conf/default.yaml
examplesdir = $(docdir)/examples
dist_examples_DATA = \
	conf/roused.yaml \
	conf/examples/ask-by-fifo.yaml \
	conf/examples/git-deploy.yaml \
	conf/examples/nginx-certificate.yaml \
	conf/examples/nightly.yaml \
	conf/examples/rebuild-on-change.yaml

conf_installed = $(DESTDIR)$(sysconfdir)/roused/roused.yaml

install-data-hook: install-conf
install-conf:
	$(MKDIR_P) '$(DESTDIR)$(sysconfdir)/roused/conf.d'
	test -e '$(conf_installed)' || \
	  $(INSTALL_DATA) '$(srcdir)/conf/default.yaml' '$(conf_installed)'

uninstall-hook: uninstall-conf
uninstall-conf:
	! cmp -s '$(srcdir)/conf/default.yaml' '$(conf_installed)' || rm -f '$(conf_installed)'
.PHONY: install-conf uninstall-conf
