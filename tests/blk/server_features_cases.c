/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What is offered, and requests and rings that stock drivers do not have. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "server_world.h"

/* ---- what is offered -------------------------------------------------------------------------------------------- */

bool never_offered(void)
{
	const bool good = HOLDS(serve("memory=16M", 0)) &&
			  HOLDS(!(client.offered & PVROM_VQ_F_RING_RESET)) &&
			  HOLDS(!(client.offered_protocol & VU_PROTOCOL_INBAND_NOTIFICATIONS)) &&
			  HOLDS(client.offered & PVROM_BLK_F_SECURE_ERASE) &&
			  HOLDS(client.offered & PVROM_VQ_F_IN_ORDER) &&
			  HOLDS(client.offered & PVROM_VQ_F_NOTIFICATION_DATA);

	end();
	return good;
}

static int set_config(uint32_t offset, uint8_t value)
{
	union vu_payload p = { .config = { .offset = offset, .size = 1, .bytes = { value } } };

	return vu_client_ack(&client, VU_SET_CONFIG, &p, 13, NULL, 0);
}

bool configuration(void)
{
	uint8_t space[256], one = 0xff;
	struct pvrom_blk_config config;
	bool good = HOLDS(serve_file("", PVROM_BLK_F_FLUSH | PVROM_BLK_F_CONFIG_WCE)) &&
		    HOLDS(get_config(0, 256, space) == 268);

	memcpy(&config, space, sizeof(config));
	good = good && HOLDS(config.capacity == 16384) && HOLDS(config.seg_max == 126) &&
	       HOLDS(config.writeback == 1) && HOLDS(space[sizeof(config)] == 0);
	good = good && HOLDS(set_config(32, 0) == 0) && HOLDS(get_config(32, 1, &one) == 13) &&
	       HOLDS(one == 0) && HOLDS(set_config(0, 9) == 1) && HOLDS(set_config(256, 9) == 1) &&
	       HOLDS(get_config(0, 1, &one) == 13) && HOLDS(works(&client));
	end();
	return good;
}

static uint64_t status_now(void)
{
	union vu_payload p;

	return vu_client_message(&client, VU_GET_STATUS, NULL, 0, NULL, 0, &p, NULL) == 8 ? p.word
											  : 999;
}

static bool set_status(uint64_t status)
{
	return !vu_client_ack(&client, VU_SET_STATUS, &status, 8, NULL, 0);
}

/* Rings begin anew after a reset, and then the disk works. */
static bool again(bool kept)
{
	const uint64_t features = client.accepted & ~VU_F_LOG_ALL;
	const uint64_t others = features ^ PVROM_BLK_F_FLUSH;
	int64_t base;

	memset(client.queue[0].desc, 0, client.size * 16);
	memset(client.queue[0].driver, 0, 6 + client.size * 2);
	memset(client.queue[0].device, 0, 6 + client.size * 8);
	/* While a ring runs, features stay as they are. */
	if (vu_client_ack(&client, VU_SET_FEATURES, &others, 8, NULL, 0))
		return false;
	base = vu_client_stop(&client, 0);
	/* A ring that was not reset is where it was; with a status of 0 it may still be asked for. */
	return (base == 0 || kept) &&
	       !vu_client_ack(&client, VU_SET_FEATURES, &features, 8, NULL, 0);
}

bool device_status(void)
{
	uint64_t none = 0;
	bool good = HOLDS(serve("memory=16M", 0)) && HOLDS(works(&client)) &&
		    HOLDS(set_status(15)) && HOLDS(status_now() == 15) && HOLDS(set_status(0)) &&
		    HOLDS(status_now() == 0) && HOLDS(again(true));

	/* Features that do not have VERSION_1 are not OK. */
	good = good && HOLDS(!vu_client_ack(&client, VU_SET_FEATURES, &none, 8, NULL, 0)) &&
	       HOLDS(set_status(11)) && HOLDS(status_now() == 3);
	end();
	return good;
}

bool reset_device(void)
{
	const bool good = HOLDS(serve("memory=16M", 0)) && HOLDS(works(&client)) &&
			  HOLDS(!vu_client_ack(&client, VU_RESET_DEVICE, NULL, 0, NULL, 0)) &&
			  HOLDS(again(false));

	end();
	return good;
}

/* ---- requests and rings that stock drivers do not have --------------------------------------------------------------- */

bool secure_erase(void)
{
	uint8_t data[1024];
	bool good = HOLDS(serve("memory=16M", PVROM_BLK_F_SECURE_ERASE)) &&
		    HOLDS(client.config.capacity == 32768);

	memset(data, 0xee, sizeof(data));
	good = good && HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_OUT, 7, data, 1024) == 0) &&
	       HOLDS(ranges(PVROM_BLK_T_SECURE_ERASE, 7, 1, 1) == PVROM_BLK_S_OK) &&
	       HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, 7, data, 1024) == 0) &&
	       HOLDS(!data[0] && !data[511]) && HOLDS(data[512] == 0xee) &&
	       HOLDS(ranges(PVROM_BLK_T_SECURE_ERASE, 32768, 1, 1) == PVROM_BLK_S_IOERR) &&
	       HOLDS(ranges(PVROM_BLK_T_SECURE_ERASE, 0, 1, 17) == PVROM_BLK_S_IOERR);
	end();
	return good;
}

/* A file cannot promise that nobody finds the old content. */
bool no_secure_erase_on_files(void)
{
	const bool good = HOLDS(serve_file("", 0)) &&
			  HOLDS(!(client.offered & PVROM_BLK_F_SECURE_ERASE)) &&
			  HOLDS(ranges(PVROM_BLK_T_SECURE_ERASE, 7, 1, 1) == PVROM_BLK_S_UNSUPP);

	end();
	return good;
}

static bool load_with(const char *words, uint64_t features)
{
	struct counter_load load = { .client = &client, .seed = 77, .to_do = 3000 };
	const uint64_t limit = vu_client_now() + 20000000000u;
	bool good = HOLDS(serve_file(words, features)) &&
		    HOLDS((client.accepted & features) == features);

	while (good && !load.wrong[0] && (load.to_do || load.in_flight) &&
	       vu_client_now() < limit) {
		load_fill(&load);
		load_take(&load);
	}
	good = good && HOLDS(!load.in_flight) && load_verify(&load);
	if (load.wrong[0] && !slipped)
		printf("# %s\n", load.wrong);
	end();
	return good;
}

bool in_order(void)
{
	return load_with("", PVROM_VQ_F_IN_ORDER | PVROM_BLK_F_FLUSH) &&
	       load_with("", PVROM_VQ_F_IN_ORDER | PVROM_VQ_F_RING_PACKED | PVROM_BLK_F_FLUSH);
}

bool notification_data(void)
{
	return load_with("", PVROM_VQ_F_NOTIFICATION_DATA | PVROM_BLK_F_FLUSH) &&
	       load_with("", PVROM_VQ_F_NOTIFICATION_DATA | PVROM_VQ_F_RING_PACKED |
				     PVROM_VQ_F_EVENT_IDX | PVROM_BLK_F_FLUSH);
}

/* Rings in the first region, most data in the second. */
bool two_regions(void)
{
	bool good;

	start_server("memory=16M", false);
	client = (struct vu_client){ .path = socket_path,
				     .features = PVROM_VQ_F_VERSION_1,
				     .protocol = VU_PROTOCOL_CONFIGURE_MEM_SLOTS |
						 VU_PROTOCOL_REPLY_ACK | VU_PROTOCOL_CONFIG,
				     .queues = 1,
				     .size = 64,
				     .depth = 64,
				     .data_bytes = 65536,
				     .two_regions = true };
	good = HOLDS(vu_client_open(&client)) && HOLDS(vu_client_connect(&client, 10000));
	if (good) {
		struct vu_client_request *r = &client.queue[0].request[60];
		memset(r->data, 0x33, 65536);
		good = HOLDS(r->data > client.memory + client.memory_size / 2) &&
		       HOLDS(blk_client_submit(&client, 0, r, PVROM_BLK_T_OUT, 0, 65536));
		blk_client_publish(&client, 0);
		good = good && HOLDS(blk_client_wait(&client, 0, PATIENCE) == r) &&
		       HOLDS(*r->status == PVROM_BLK_S_OK);
	}
	end();
	return good;
}
