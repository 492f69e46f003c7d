# Units for systemd.

EXTRA_DIST += \
	systemd/roused.service.in \
	systemd/user/roused.service.in

if SYSTEMD_UNITS
systemdsystemunit_DATA = systemd/roused.service
dist_systemdsystemunit_DATA = systemd/roused.socket
systemduserunit_DATA = systemd/user/roused.service
dist_systemduserunit_DATA = systemd/user/roused.socket
dist_sysusers_DATA = systemd/sysusers.d/roused.conf
dist_tmpfiles_DATA = systemd/tmpfiles.d/roused.conf
CLEANFILES += $(systemdsystemunit_DATA) $(systemduserunit_DATA)
endif

# Here and not in configure, because there directories still hold ${prefix}.
systemd/roused.service: systemd/roused.service.in Makefile
systemd/user/roused.service: systemd/user/roused.service.in Makefile
systemd/roused.service systemd/user/roused.service:
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	sed -e 's|@bindir[@]|$(bindir)|g' \
	    -e 's|@sbindir[@]|$(sbindir)|g' \
	    -e 's|@sysconfdir[@]|$(sysconfdir)|g' \
	    $(srcdir)/$@.in >$@.tmp && \
	mv $@.tmp $@
