/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What else of a PC is here: the CMOS clock, the serial port and the terminal behind it; and the windows of
 * virtio.
 */
#ifndef PVRUN_PC_DEVICES_H
#define PVRUN_PC_DEVICES_H

#include "machine.h"

/* Its registers and what waits in it, in a file. */
struct serial_state {
	uint8_t ier, lcr, mcr, scr, dll, dlm;
	bool fifo_on, thre_pending, line_high;
	uint8_t rx[256];
	uint32_t rx_head, rx_count;
};

/* cmos_clock.c */
#define CMOS_INDEX 0x70u
#define CMOS_DATA 0x71u
uint8_t cmos_clock_read(uint8_t index);

/* serial_16550.c */
#define COM1_PORT 0x3f8u
#define COM1_IRQ 4u
void serial_create(struct serial *serial, struct vm *vm);
void serial_destroy(struct serial *serial);
uint8_t serial_read(struct serial *serial, unsigned int reg);
void serial_write(struct serial *serial, unsigned int reg, uint8_t value);
bool serial_receive(struct serial *serial, uint8_t byte);
void serial_repeat_line(struct serial *serial);
void serial_save(const struct serial *serial, struct serial_state *state);
void serial_load(struct serial *serial, const struct serial_state *state);

/* terminal.c */
void terminal_start(void);
void terminal_attach(struct vm *vm);
void terminal_detach(void);
_Noreturn void terminal_die(int signal);

/* virtio_bus.c */
void virtio_bus_offer(struct vm *vm);

/* virtio_device.c and virtio_mmio.c; see also virtio_device.h. */
void virtio_interrupt_again(struct vm *vm);
#define VIRTIO_MMIO_BASE 0xd0000000u
#define VIRTIO_MMIO_SIZE 0x1000u
#define VIRTIO_MMIO_LINE 16u
bool virtio_mmio_access(struct vm *vm, uint64_t gpa, void *data, uint32_t len, bool write);

#endif
