# SPDX-License-Identifier: GPL-2.0-or-later
# Objects for the fuzzers, by tests/fuzz/run: make -f ... OUT=DIR CC= FLAGS= DIR/PATH.o...
$(OUT)/%.o: %.c tests/fuzz/run
	@mkdir -p $(@D)
	$(CC) $(FLAGS) -MMD -MP -c -o $@ $<

-include $(patsubst %.o,%.d,$(MAKECMDGOALS))
