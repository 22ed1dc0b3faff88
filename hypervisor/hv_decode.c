/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A decoder for the few instructions that this hypervisor intercepts: how long they are, and what
 * registers and memory they name. Sites may carry any number of prefixes that do nothing.
 */
#include "hv.h"

#define INSN_MAX 15u

struct cursor {
	uint8_t bytes[INSN_MAX];
	size_t size, at;
	uint8_t rex;
	uint64_t segment; /* base of FS or GS, if a prefix names it */
};

/* Past the last byte: zeros, and hv_decode() sees that `at` is out of range. */
static uint8_t next(struct cursor *c)
{
	if (c->at < c->size)
		return c->bytes[c->at++];
	c->at = c->size + 1;
	return 0;
}

static bool is_64_bit(const struct hv_vcpu *vcpu)
{
	return vcpu->vmcb->cs.attributes & SVM_CODE_64 && vcpu->vmcb->efer & EFER_LMA;
}

static bool is_prefix(uint8_t byte)
{
	static const uint8_t prefixes[] = "\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3";

	for (size_t i = 0; i < sizeof(prefixes) - 1; i++)
		if (prefixes[i] == byte)
			return true;
	return false;
}

/* The first byte that is no prefix. A REX counts only right before the opcode. */
static uint8_t skip_prefixes(const struct hv_vcpu *vcpu, struct cursor *c)
{
	for (;;) {
		uint8_t byte = next(c);

		if (byte == 0x64 || byte == 0x65)
			c->segment = byte == 0x64 ? vcpu->vmcb->fs.base : vcpu->vmcb->gs.base;
		if (is_prefix(byte))
			c->rex = 0;
		else if (is_64_bit(vcpu) && (byte & 0xf0) == 0x40)
			c->rex = byte;
		else
			return byte;
	}
}

static int32_t displacement(struct cursor *c, unsigned mode)
{
	uint32_t value = next(c);

	if (mode == 1)
		return (int8_t)value;
	for (unsigned shift = 8; shift < 32; shift += 8)
		value |= (uint32_t)next(c) << shift;
	return (int32_t)value;
}

/* Base and index by the SIB byte (Intel SDM vol. 2A, table 2-3); the rest is the caller's. */
static uint64_t scaled(const struct hv_vcpu *vcpu, struct cursor *c, bool *no_base)
{
	uint8_t sib = next(c);
	unsigned base = (sib & 7) | (c->rex & 1u) << 3, index = (sib >> 3 & 7) | (c->rex & 2u) << 2;
	uint64_t address = index == RSP ? 0 : vcpu->gpr[index] << (sib >> 6);

	if ((sib & 7) == RBP && *no_base)
		return address;
	*no_base = false;
	return address + vcpu->gpr[base];
}

/* A memory operand in 64-bit mode; the instruction ends with it. */
static uint64_t linear_address(const struct hv_vcpu *vcpu, struct cursor *c, uint8_t modrm)
{
	unsigned mode = modrm >> 6, rm = modrm & 7;
	bool no_base = mode == 0;
	uint64_t address = 0;

	if (rm == RSP) {
		address = scaled(vcpu, c, &no_base);
	} else if (rm == RBP && mode == 0) {
		address = (uint64_t)displacement(c, 2);
		return address + vcpu->vmcb->rip + c->at;
	} else {
		no_base = false;
		address = vcpu->gpr[rm | (c->rex & 1u) << 3];
	}
	if (mode || no_base)
		address += (uint64_t)(int64_t)displacement(c, mode ? mode : 2);
	return address + c->segment;
}

/* 0f 01: VMMCALL among others, SMSW and LMSW of a register, INVLPG. */
static unsigned decode_group7(const struct hv_vcpu *vcpu, struct cursor *c, struct hv_insn *insn)
{
	uint8_t modrm = next(c), operation = modrm >> 3 & 7;

	insn->reg = (uint8_t)((modrm & 7) | (c->rex & 1) << 3);
	if (modrm >> 6 != 3) {
		if (operation != 7 || !is_64_bit(vcpu))
			return INSN_OTHER;
		insn->address = linear_address(vcpu, c, modrm);
		return INSN_INVLPG;
	}
	insn->opcode = modrm;
	return operation == 4 ? INSN_SMSW : operation == 6 ? INSN_LMSW : INSN_TWO_BYTES;
}

/* LOCK before MOV CR0 is AMD's way to CR8 in 32-bit code, where CR8 is not ours to serve. */
static unsigned decode_control(struct cursor *c, struct hv_insn *insn, uint8_t opcode)
{
	uint8_t modrm = next(c);

	insn->control = (uint8_t)((modrm >> 3 & 7) | (c->rex & 4) << 1);
	insn->reg = (uint8_t)((modrm & 7) | (c->rex & 1) << 3);
	return opcode == 0x20 ? INSN_CR_TO_REG : INSN_REG_TO_CR;
}

static unsigned decode_two_bytes(const struct hv_vcpu *vcpu, struct cursor *c, struct hv_insn *insn)
{
	uint8_t opcode = next(c);

	insn->opcode = opcode;
	switch (opcode) {
	case 0x01: return decode_group7(vcpu, c, insn);
	case 0x06: return INSN_CLTS;
	case 0x20:
	case 0x22: return decode_control(c, insn, opcode);
	case 0x30: /* WRMSR, RDMSR, CPUID */
	case 0x32:
	case 0xa2: return INSN_TWO_BYTES;
	default: return INSN_OTHER;
	}
}

/* What stands at the guest's RIP; false if it cannot be read. */
bool hv_decode(const struct hv_vcpu *vcpu, struct hv_insn *insn)
{
	struct cursor c = { .rex = 0 };
	uint8_t opcode;

	c.size = hv_fetch(vcpu, c.bytes, INSN_MAX);
	*insn = (struct hv_insn){ .kind = INSN_OTHER };
	opcode = skip_prefixes(vcpu, &c);
	insn->wide = c.rex & 8;
	if (opcode == 0xf4)
		insn->kind = INSN_HLT;
	else if (opcode == 0x0f)
		insn->kind = (uint8_t)decode_two_bytes(vcpu, &c, insn);
	insn->length = (uint8_t)c.at;
	return c.at <= c.size;
}
