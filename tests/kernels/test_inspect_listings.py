"""Figures are read out of disassemblies: small ones, written by hand."""

import pytest

from kernels.inspect import amd, sass

SASS = """
        .global         kernel
.text.kernel:
        /*0000*/                   LDG.E R0, [R2.64] ;
        /*0010*/                   LDG.E.128 R4, [R2.64+0x10] ;
        /*0020*/              @!P0 EXIT ;
        /*0030*/                   LDGSTS.E.BYPASS.128 [R1], desc[UR4][R8.64+-0x800], P0 ;
        /*0040*/                   LDGSTS.E.64 [R1+0x100], [R8.64] ;
        /*0050*/               @P1 FSEL R1, R2, -INF , P2 ;
.L_x_0:
        /*0060*/                   IADD3 R9, R9, 0x1, RZ ;
.L_x_1:
        /*0070*/                   HMMA.16816.F32.BF16 R4, R8, R12, R4 ;
        /*0080*/              @!P2 FSEL R1, R2, -INF , P2 ;
        /*0090*/                   SEL R1, R2, R3, P2 ;
        /*00a0*/                   MUFU.EX2 R1, R2 ;
        /*00b0*/                   MUFU.EX2 R2, R3 ;
        /*00c0*/               @P0 BRA `(.L_x_2) ;
        /*00d0*/                   HMMA.16816.F32.BF16 R4, R8, R12, R4 ;
.L_x_2:
        /*00e0*/              @!P0 BRA `(.L_x_1) ;
        /*00f0*/              @!P1 BRA `(.L_x_0) ;
        /*0100*/                   STL [R1], R3 ;
        /*0110*/                   STG.E.128 [R2.64], R4 ;
        /*0120*/              @!P0 STG.E desc[UR4][R2.64], R4 ;
        /*0130*/              @UP0 LDL.64 R2, [R1] ;
.L_x_3:
        /*0140*/                   BRA `(.L_x_3);
        /*0150*/                   NOP;
"""

AMD = """
	s_load_dwordx4 s[4:7], s[0:1], 0x0
	global_load_dwordx4 v[4:7], v[12:13], off
	global_load_dwordx4 v[4:7], v[12:13], off offset:2048
	buffer_load_ushort v3, v4, s[0:3], 0 offen
	flat_load_dword v3, v[4:5]
	v_mfma_f32_32x32x8_bf16 v[16:31], v[74:75], v[124:125], 0
	v_mfma_f32_32x32x8_bf16 v[16:31], v[74:75], v[124:125], v[16:31]
; Occupancy: 3
    .private_segment_fixed_size: 16
    .sgpr_count:     63
    .sgpr_spill_count: 1
    .vgpr_count:     160
    .vgpr_spill_count: 2
"""


def test_the_whole_kernel_is_counted():
    figures = sass.counts(sass.parse(SASS))
    assert figures["local_loads"] == figures["local_stores"] == 1
    assert (figures["global_loads_128bit"], figures["global_loads_narrow"]) == (1, 1)
    assert (figures["global_stores_128bit"], figures["global_stores_narrow"]) == (1, 1)
    assert (figures["async_copies"], figures["async_copies_128bit_share"]) == (2, 0.5)
    assert figures["hmma_anywhere"] == 2


def test_a_trip_is_that_of_the_innermost_loop_its_branch_included():
    figures = sass.counts(sass.parse(SASS))
    assert figures["hot_loops"] == 1
    assert figures["instructions"] == 8
    assert (figures["hmma"], figures["mufu"]) == (2, 2)
    assert (figures["float_selects"], figures["integer_selects"]) == (1, 1)


def test_without_tensor_cores_there_is_no_hot_loop():
    figures = sass.counts(sass.parse(SASS.replace("HMMA", "FFMA")))
    assert figures["hot_loops"] == 0
    assert "instructions" not in figures


def test_two_loops_side_by_side_have_no_trip():
    first = SASS.replace("BRA `(.L_x_3)", "NOP")
    figures = sass.counts(sass.parse(first + SASS.replace(".L_x", ".L_y")))
    assert figures["hot_loops"] == 2
    assert "mufu" not in figures


def test_waiting_out_of_line_is_no_loop():
    listing = """
        /*0000*/                   BRA.U UP0, `(.L_x_2) ;
.L_x_0:
        /*0010*/                   UTCHMMA gdesc[UR14], gdesc[UR16], tmem[UR11], tmem[UR38], UPT ;
        /*0020*/                   IADD3 R9, R9, 0x1, RZ ;
.L_x_1:
        /*0030*/                   UTCHMMA gdesc[UR14], gdesc[UR16], tmem[UR11], tmem[UR38], UPT ;
        /*0040*/              @!P0 BRA `(.L_x_1) ;
        /*0050*/                   EXIT ;
.L_x_2:
        /*0060*/              @!P1 BRA `(.L_x_2) ;
        /*0070*/                   BRA `(.L_x_0) ;
"""
    figures = sass.counts(sass.parse(listing))
    assert figures["hot_loops"] == 1
    assert (figures["utchmma"], figures["instructions"]) == (1, 2)


@pytest.mark.parametrize("opcode", ["HMMA", "HGMMA", "UTCHMMA"])
def test_tensor_cores_of_all_generations(opcode):
    figures = sass.counts(sass.parse(SASS.replace("HMMA.16816", f"{opcode}.16816")))
    assert figures[opcode.lower()] == 2


def test_amd_assembly():
    assert amd.counts(AMD) == {
        "vgpr": 160,
        "sgpr": 63,
        "vgpr_spills": 2,
        "sgpr_spills": 1,
        "scratch_bytes": 16,
        "waves_per_simd": 3,
        "vector_loads": 4,
        "vector_loads_128bit_share": 0.5,
        "mfma": 2,
    }


def test_what_amd_assembly_does_not_state_is_left_out():
    assert amd.counts("") == {"vector_loads": 0, "mfma": 0}
