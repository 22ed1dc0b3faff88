/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A VIRTIO device as a guest's driver sees it, whatever carries it: registers in memory (virtio-mmio),
 * a PCI function, or pvrom's device bus.
 *
 *	pvrom_virtio_mmio_open() or another   is there a device, and which?
 *	pvrom_virtio_begin()                  reset, and features (VIRTIO 1.2, 3.1.1)
 *	pvrom_virtio_queue_start()            each queue, in memory of the caller's
 *	pvrom_virtio_ready()                  it may work now
 *
 * Modern devices only (VERSION_1). The device is not trusted: waits are bounded, and whatever it answers is
 * a number that the driver checks. The functions write to device registers, so: kernel context, and one CPU
 * at a time for a device, but for notify and interrupt, which any CPU may call at any time.
 */
#ifndef PVROM_VIRTIO_GUEST_H
#define PVROM_VIRTIO_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Device status, VIRTIO 1.2, 2.1. */
#define PVROM_VIRTIO_ACKNOWLEDGE 1u
#define PVROM_VIRTIO_DRIVER 2u
#define PVROM_VIRTIO_DRIVER_OK 4u
#define PVROM_VIRTIO_FEATURES_OK 8u
#define PVROM_VIRTIO_NEEDS_RESET 64u
#define PVROM_VIRTIO_FAILED 128u

/* VIRTIO_F_ACCESS_PLATFORM (6): addresses are not simply guest-physical ones. Not for these drivers. */
#define PVROM_VIRTIO_F_ACCESS_PLATFORM (1ull << 33)

/* Why a device interrupted: VIRTIO 1.2, 4.1.4.5 and 4.2.2. */
#define PVROM_VIRTIO_USED 1u	/* used buffers, perhaps */
#define PVROM_VIRTIO_CHANGED 2u /* its configuration, or its status */

#define PVROM_VIRTIO_NO_VECTOR 0xffffu

#define PVROM_VIRTIO_RESULT_TABLE(X)                                                               \
	X(OK, 0, "done")                                                                           \
	X(NO_DEVICE, 1, "no device there")                                                         \
	X(LEGACY, 2, "a device of before VIRTIO 1.0")                                              \
	X(STUCK, 3, "the device does not end its reset")                                           \
	X(FEATURES, 4, "the device lacks a feature that is needed, or refuses the set")            \
	X(MALFORMED, 5, "its registers, capabilities or configuration make no sense")
enum pvrom_virtio_result {
#define PVROM_VIRTIO_RESULT_NAME_(name, number, text) PVROM_VIRTIO_##name = number,
	PVROM_VIRTIO_RESULT_TABLE(PVROM_VIRTIO_RESULT_NAME_)
#undef PVROM_VIRTIO_RESULT_NAME_
};
const char *pvrom_virtio_result_text(enum pvrom_virtio_result result);

/* Where a queue lies, guest-physical, and how it interrupts. */
struct pvrom_virtio_queue {
	uint64_t desc_gpa;
	uint64_t driver_gpa;
	uint64_t device_gpa;
	uint16_t size;
	/* PCI: entry of the MSI-X table; bus: interrupt vector. NO_VECTOR: the line, or none. */
	uint16_t vector;
	uint32_t vcpu; /* bus: who takes the interrupt */
};

struct pvrom_virtio;

/* What a transport does. */
struct pvrom_virtio_ops {
	uint64_t (*features)(struct pvrom_virtio *dev);
	void (*accept)(struct pvrom_virtio *dev, uint64_t features);
	uint32_t (*status)(struct pvrom_virtio *dev);
	void (*set_status)(struct pvrom_virtio *dev, uint32_t status); /* 0: reset */
	/* The longest that the queue may be; 0: there is no such queue. */
	uint32_t (*queue_max)(struct pvrom_virtio *dev, uint32_t queue);
	/* False: the device has refused. */
	bool (*queue_start)(struct pvrom_virtio *dev, uint32_t queue,
			    const struct pvrom_virtio_queue *where);
	/* Rings the queue's bell with what pvrom_vq_driver_notification() says. */
	void (*notify)(struct pvrom_virtio *dev, uint32_t queue, uint32_t data);
	/* What the line interrupt was for, acknowledged: PVROM_VIRTIO_USED, _CHANGED. */
	uint32_t (*interrupt)(struct pvrom_virtio *dev);
	/* Rises whenever the configuration may have changed (2.5.1). */
	uint32_t (*generation)(struct pvrom_virtio *dev);
	void (*config_read)(struct pvrom_virtio *dev, uint32_t offset, void *to, uint32_t len);
	void (*config_write)(struct pvrom_virtio *dev, uint32_t offset, const void *from,
			     uint32_t len);
};

/* The head of every transport's own structure, set up by its open function. */
struct pvrom_virtio {
	const struct pvrom_virtio_ops *ops;
	uint32_t id;	       /* VIRTIO 1.2, 5: 2 is a block device */
	uint32_t config_bytes; /* of configuration space, as far as the transport knows */
	uint64_t accepted;     /* features in force, after pvrom_virtio_begin() */
};

/* Resets the device and waits until it says so, at most a million looks: STUCK if it does not. */
enum pvrom_virtio_result pvrom_virtio_reset(struct pvrom_virtio *dev);

/*
 * Reset, then features: all of wanted that the device offers. required and VERSION_1 must be among them, and
 * ACCESS_PLATFORM must not be offered unless wanted. dev->accepted is the set. On anything but OK
 * the device is told FAILED.
 */
enum pvrom_virtio_result pvrom_virtio_begin(struct pvrom_virtio *dev, uint64_t wanted,
					    uint64_t required);

/* DRIVER_OK: queues are set up, the device may work. */
void pvrom_virtio_ready(struct pvrom_virtio *dev);

/* Copies len bytes of configuration as they were at one time (2.5.3); false: it changes all the time. */
bool pvrom_virtio_config(struct pvrom_virtio *dev, uint32_t offset, void *to, uint32_t len);

/* ---- memory of a queue --------------------------------------------------------------------------- */

struct pvrom_vq_driver; /* <pvrom/virtqueue_driver.h> */

/*
 * What a queue of a driver needs (out: answered by the driver, as pvrom_blk_guest_memory() does), and where that is (in:
 * for its pvrom_blk_guest_queue() and the like). The memory is the caller's, and in use until the device was stopped.
 */
struct pvrom_virtio_memory {
	uint32_t size; /* out: descriptors of the queue */
	uint32_t reserved;
	size_t shared_bytes; /* out: what the device must reach: physically contiguous, page aligned */
	size_t own_bytes;    /* out: what it should not reach; aligned to 8 */
	void *shared;	     /* in */
	uint64_t shared_gpa;
	void *own;
	uint16_t vector; /* in: see struct pvrom_virtio_queue; out: NO_VECTOR */
	uint16_t reserved2;
	uint32_t vcpu;
};

/*
 * For those who write drivers. Offsets into the two memories of a queue; what a driver puts there itself begins at the
 * ends.
 *
 *	shared: descriptors | driver area | device area | indirect tables | shared_end, aligned to 64
 *	own:    slots | own_end, aligned to 8
 */
struct pvrom_virtio_layout {
	size_t driver, device, tables, shared_end, own_end;
	uint32_t size, each; /* entries of a table; 0: there are none */
};

/* The largest size that device and ring format take, at most `most`; 0: there is no such queue. After begin. */
uint32_t pvrom_virtio_queue_size(struct pvrom_virtio *dev, uint32_t queue, uint32_t most);

/* The layout of a queue of that size. each: the longest chain, tables being made for such if INDIRECT_DESC is in force;
 * 0: no tables. */
void pvrom_virtio_lay_out(const struct pvrom_virtio *dev, uint32_t size, uint32_t each,
			  struct pvrom_virtio_layout *layout);

/* Sets up the ring in the memory and tells the device of it. False: the device refuses. */
bool pvrom_virtio_queue_start(struct pvrom_virtio *dev, uint32_t queue,
			      struct pvrom_vq_driver *ring,
			      const struct pvrom_virtio_layout *layout,
			      const struct pvrom_virtio_memory *memory);

/* ---- registers in memory: VIRTIO 1.2, 4.2 --------------------------------------------------------- */

struct pvrom_virtio_mmio {
	struct pvrom_virtio virtio; /* first */
	volatile uint8_t *registers;
	uint32_t bytes;
};

/*
 * registers: of bytes (0x100 or more), mapped uncached. NO_DEVICE: no magic value, or device id 0. LEGACY:
 * version 1.
 */
enum pvrom_virtio_result pvrom_virtio_mmio_open(struct pvrom_virtio_mmio *dev,
						volatile void *registers, uint32_t bytes);

/* ---- PCI: VIRTIO 1.2, 4.1 ------------------------------------------------------------------------ */

/* What the kernel does for a PCI function. */
struct pvrom_virtio_pci_os {
	/* Configuration space: 1, 2 or 4 bytes, aligned, at an offset below 256. */
	uint32_t (*read)(void *ctx, uint32_t offset, uint32_t bytes);
	void (*write)(void *ctx, uint32_t offset, uint32_t bytes, uint32_t value);
	/* Where a memory BAR (0 to 5) is mapped, uncached, and its length; NULL: it is none. */
	volatile void *(*map)(void *ctx, uint32_t bar, uint64_t *len);
};

/* One region of the device's registers, inside a BAR. */
struct pvrom_virtio_pci_region {
	volatile uint8_t *at;
	uint32_t len;
};

struct pvrom_virtio_pci {
	struct pvrom_virtio virtio; /* first */
	const struct pvrom_virtio_pci_os *os;
	void *ctx;
	struct pvrom_virtio_pci_region common, notify, isr, config;
	uint32_t notify_multiplier;
	uint32_t queues;
	volatile uint8_t *bell[16]; /* of the queues that are started */
};

/*
 * The function whose configuration space os reads: a vendor 0x1af4 device 0x1040 to 0x107f, or 0x1000 to 0x103f
 * with modern capabilities. Switches memory accesses and bus mastering on.
 */
enum pvrom_virtio_result pvrom_virtio_pci_open(struct pvrom_virtio_pci *dev,
					       const struct pvrom_virtio_pci_os *os, void *ctx);

/* ---- pvrom's device bus: <pvrom/dev.h> ------------------------------------------------------------- */

/* What the kernel does for the bus. */
struct pvrom_virtio_bus_os {
	/* pvrom_call() with arguments 0 to 2. */
	uint32_t (*call)(void *ctx, uint32_t number, uint64_t arg0, uint64_t arg1, uint64_t arg2,
			 uint64_t *value);
	/* OUT of 32 bits: a bell. Any CPU at any time. */
	void (*out)(void *ctx, uint16_t port, uint32_t value);
};

/* As many queues are used: a network card's eight pairs and its control queue are 17. */
#define PVROM_VIRTIO_BUS_QUEUES 32u

struct pvrom_virtio_bus {
	struct pvrom_virtio virtio; /* first */
	const struct pvrom_virtio_bus_os *os;
	void *ctx;
	uint32_t device;
	uint32_t queues;
	uint32_t longest;
	uint32_t reserved;
	uint64_t bell[PVROM_VIRTIO_BUS_QUEUES];
};

/* Device number `device`; the features dev and that of its kind are granted. NO_DEVICE: there are not so many. */
enum pvrom_virtio_result pvrom_virtio_bus_open(struct pvrom_virtio_bus *dev, uint32_t device,
					       const struct pvrom_virtio_bus_os *os, void *ctx);

/* In the place of a queue's number: changes of the device's configuration, or of its status. */
#define PVROM_VIRTIO_BUS_CHANGES 0xffffffffu

/*
 * From now on used buffers of the queue interrupt as this vector (32 to 255; 0: not at all) of this vCPU, also while
 * the queue is in use (spec: PVROM-DEV-6). False: the host refuses, and nothing is changed. Any CPU, at any time.
 */
bool pvrom_virtio_bus_interrupt(struct pvrom_virtio_bus *dev, uint32_t queue, uint32_t vector,
				uint32_t vcpu);

#ifdef __cplusplus
}
#endif

#endif
