/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * COM1: a 16550 whose line is stdout, and whose interrupt is an irqfd. A byte sent is gone at once, so the
 * transmitter is always empty; baud rate and format are kept and ignored.
 */
#include "pc_devices.h"
#include "interrupts.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { DATA, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

#define IER_RX 0x01u
#define IER_TX 0x02u
#define IIR_NONE 0x01u
#define IIR_TX 0x02u
#define IIR_RX 0x04u
#define IIR_FIFO 0xc0u
#define FCR_ENABLE 0x01u
#define FCR_CLEAR_RX 0x02u
#define LCR_DLAB 0x80u
#define MCR_OUT2 0x08u /* on a PC it lets the interrupt out */
#define MCR_LOOP 0x10u
#define LSR_RX 0x01u
#define LSR_TX_EMPTY 0x60u
/* How often is looked whether a machine that waits for a full pipe has ended. */
#define FULL_PIPE_MS 100
#define MSR_CONNECTED 0xb0u /* carrier, data set ready, clear to send */

void serial_create(struct serial *serial, struct vm *vm)
{
	*serial = (struct serial){ .vm = vm, .lcr = 0x03, .dll = 1 };
	serial->irq = irqfd_open(vm, COM1_IRQ);
	pthread_mutex_init(&serial->lock, NULL);
}

void serial_destroy(struct serial *serial)
{
	close(serial->irq);
	pthread_mutex_destroy(&serial->lock);
}

/* The interrupt that is pending and enabled, as IIR shows it. */
static uint8_t pending(const struct serial *serial)
{
	if ((serial->ier & IER_RX) && serial->rx_count > 0)
		return IIR_RX;
	if ((serial->ier & IER_TX) && serial->thre_pending)
		return IIR_TX;
	return IIR_NONE;
}

/*
 * Brings the interrupt line to what the registers say. Lines of the ISA bus are edge-triggered: who
 * serves one looks until nothing is pending, and only then makes the next edge possible.
 */
static void update_line(struct serial *serial)
{
	bool high = pending(serial) != IIR_NONE && (serial->mcr & MCR_OUT2);

	if (high && !serial->line_high)
		irqfd_raise(serial->irq);
	serial->line_high = high;
}

/*
 * Waits when stdout is a full pipe, but not beyond the machine's end; a closed one swallows the
 * output. With no lock held, so that input is taken meanwhile.
 */
static void send_out(struct vm *vm, uint8_t byte)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	while (!machine_is_over(vm)) {
		if (poll(&out, 1, FULL_PIPE_MS) > 0 && write(STDOUT_FILENO, &byte, 1) >= 0)
			return;
		if (out.revents && errno != EAGAIN && errno != EINTR)
			return;
	}
}

static bool queue_rx(struct serial *serial, uint8_t byte)
{
	if (serial->rx_count == sizeof(serial->rx))
		return false;
	serial->rx[(serial->rx_head + serial->rx_count++) % sizeof(serial->rx)] = byte;
	return true;
}

static uint8_t take_rx(struct serial *serial)
{
	uint8_t byte;

	if (serial->rx_count == 0)
		return 0;
	byte = serial->rx[serial->rx_head];
	serial->rx_head = (serial->rx_head + 1) % sizeof(serial->rx);
	serial->rx_count--;
	return byte;
}

/* In loop mode; a byte for the outside has gone there before (send_out). */
static void transmit(struct serial *serial, uint8_t byte)
{
	if (serial->mcr & MCR_LOOP)
		queue_rx(serial, byte);
	serial->thre_pending = true;
}

static uint8_t identify(struct serial *serial)
{
	uint8_t value = pending(serial);

	if (value == IIR_TX)
		serial->thre_pending = false;
	return (uint8_t)(value | (serial->fifo_on ? IIR_FIFO : 0));
}

/* In loop mode the four outputs come back as the four inputs. */
static uint8_t modem_status(const struct serial *serial)
{
	uint8_t m = serial->mcr;

	if (!(m & MCR_LOOP))
		return MSR_CONNECTED;
	return (uint8_t)((m & 1) << 5 | (m & 2) << 3 | (m & 0xc) << 4);
}

static uint8_t read_locked(struct serial *serial, unsigned int reg)
{
	bool dlab = serial->lcr & LCR_DLAB;

	switch (reg) {
	case DATA: return dlab ? serial->dll : take_rx(serial);
	case IER: return dlab ? serial->dlm : serial->ier;
	case IIR_FCR: return identify(serial);
	case LCR: return serial->lcr;
	case MCR: return serial->mcr;
	case LSR: return (uint8_t)(LSR_TX_EMPTY | (serial->rx_count > 0 ? LSR_RX : 0));
	case MSR: return modem_status(serial);
	default: return serial->scr;
	}
}

static void fifo_control(struct serial *serial, uint8_t value)
{
	serial->fifo_on = value & FCR_ENABLE;
	if (value & FCR_CLEAR_RX)
		serial->rx_count = 0;
}

static void interrupt_enable(struct serial *serial, uint8_t value)
{
	if (!(serial->ier & IER_TX) && (value & IER_TX))
		serial->thre_pending = true;
	serial->ier = value & 0x0f;
}

static void write_locked(struct serial *serial, unsigned int reg, uint8_t value)
{
	bool dlab = serial->lcr & LCR_DLAB;

	switch (reg) {
	case DATA:
		if (dlab)
			serial->dll = value;
		else
			transmit(serial, value);
		return;
	case IER:
		if (dlab)
			serial->dlm = value;
		else
			interrupt_enable(serial, value);
		return;
	case IIR_FCR: fifo_control(serial, value); return;
	case LCR: serial->lcr = value; return;
	case MCR: serial->mcr = value & 0x1f; return;
	case SCR: serial->scr = value;
	}
}

/* The guest reads register `reg` (0 to 7). */
uint8_t serial_read(struct serial *serial, unsigned int reg)
{
	uint8_t value;

	pthread_mutex_lock(&serial->lock);
	value = read_locked(serial, reg);
	update_line(serial);
	pthread_mutex_unlock(&serial->lock);
	return value;
}

static bool goes_out(struct serial *serial, unsigned int reg)
{
	bool out;

	pthread_mutex_lock(&serial->lock);
	out = reg == DATA && !(serial->lcr & LCR_DLAB) && !(serial->mcr & MCR_LOOP);
	pthread_mutex_unlock(&serial->lock);
	return out;
}

/* The guest writes register `reg` (0 to 7). */
void serial_write(struct serial *serial, unsigned int reg, uint8_t value)
{
	if (goes_out(serial, reg))
		send_out(serial->vm, value);
	pthread_mutex_lock(&serial->lock);
	write_locked(serial, reg, value);
	update_line(serial);
	pthread_mutex_unlock(&serial->lock);
}

/* A byte comes in from the terminal; false if the guest has not taken the last 256. */
bool serial_receive(struct serial *serial, uint8_t byte)
{
	bool taken;

	pthread_mutex_lock(&serial->lock);
	taken = queue_rx(serial, byte);
	update_line(serial);
	pthread_mutex_unlock(&serial->lock);
	return taken;
}

/* Makes an edge again if the line is high, for a line that was just let through. */
void serial_repeat_line(struct serial *serial)
{
	pthread_mutex_lock(&serial->lock);
	if (serial->line_high)
		irqfd_raise(serial->irq);
	pthread_mutex_unlock(&serial->lock);
}

/* The machine stands still. */
void serial_save(const struct serial *serial, struct serial_state *state)
{
	*state = (struct serial_state){
		.ier = serial->ier,
		.lcr = serial->lcr,
		.mcr = serial->mcr,
		.scr = serial->scr,
		.dll = serial->dll,
		.dlm = serial->dlm,
		.fifo_on = serial->fifo_on,
		.thre_pending = serial->thre_pending,
		.line_high = serial->line_high,
		.rx_head = serial->rx_head,
		.rx_count = serial->rx_count,
	};
	memcpy(state->rx, serial->rx, sizeof(state->rx));
}

void serial_load(struct serial *serial, const struct serial_state *state)
{
	serial->ier = state->ier;
	serial->lcr = state->lcr;
	serial->mcr = state->mcr;
	serial->scr = state->scr;
	serial->dll = state->dll;
	serial->dlm = state->dlm;
	serial->fifo_on = state->fifo_on;
	serial->thre_pending = state->thre_pending;
	serial->line_high = state->line_high;
	serial->rx_head = state->rx_head % sizeof(serial->rx);
	serial->rx_count = state->rx_count <= sizeof(serial->rx) ? state->rx_count : 0;
	memcpy(serial->rx, state->rx, sizeof(serial->rx));
}
