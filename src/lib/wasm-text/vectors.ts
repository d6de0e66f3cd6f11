import { type F32, type I32, type I64, type Operand, operandText, toValue, type V128 } from './expression.ts';

type Shape = 'i8x16' | 'i16x8' | 'i32x4' | 'f32x4';

const unary = (instruction: string) => (a: V128) => toValue('v128', `(${instruction} ${a.text})`);
const binary = (instruction: string) => (a: V128, b: V128) =>
  toValue('v128', `(${instruction} ${a.text} ${b.text})`);
const shift = (instruction: string) => (a: V128, by: Operand<'i32'>) =>
  toValue('v128', `(${instruction} ${a.text} ${operandText(by)})`);
const toNumber = (instruction: string) => (a: V128) => toValue('i32', `(${instruction} ${a.text})`);

/** Constants take one number for all lanes, or one for each. */
const constant = (shape: Shape, count: number) => (lanes: number | readonly number[]) => {
  const all = typeof lanes === 'number' ? Array<number>(count).fill(lanes) : lanes;
  if (all.length !== count) throw new RangeError(`${shape} has ${count} lanes, not ${all.length}`);
  return toValue('v128', `(v128.const ${shape} ${all.join(' ')})`);
};

export const i8x16Const = constant('i8x16', 16);
export const i16x8Const = constant('i16x8', 8);
export const i32x4Const = constant('i32x4', 4);
export const f32x4Const = constant('f32x4', 4);

export const v128And = binary('v128.and');
export const v128Or = binary('v128.or');
/** Bits of `a` where those of `mask` are set, else of `b`. */
export const v128Bitselect = (a: V128, b: V128, mask: V128): V128 =>
  toValue('v128', `(v128.bitselect ${a.text} ${b.text} ${mask.text})`);
/** `a` where `b` is not set. */
export const v128Andnot = binary('v128.andnot');
export const v128Xor = binary('v128.xor');
export const v128Not = unary('v128.not');
export const v128AnyTrue = toNumber('v128.any_true');

export const i8x16Eq = binary('i8x16.eq');
export const i8x16Add = binary('i8x16.add');
export const i8x16Sub = binary('i8x16.sub');
export const i8x16AvgrU = binary('i8x16.avgr_u');
export const i8x16Bitmask = toNumber('i8x16.bitmask');
export const i8x16Swizzle = binary('i8x16.swizzle');
export const i8x16NarrowI16x8S = binary('i8x16.narrow_i16x8_s');
export const i8x16AddSatS = binary('i8x16.add_sat_s');
export const i8x16SubSatS = binary('i8x16.sub_sat_s');
export const i8x16AddSatU = binary('i8x16.add_sat_u');
export const i8x16SubSatU = binary('i8x16.sub_sat_u');
export const i8x16MaxU = binary('i8x16.max_u');
export const i8x16LeU = binary('i8x16.le_u');
export const i8x16ShrS = shift('i8x16.shr_s');
export const i8x16ShrU = shift('i8x16.shr_u');
export const i8x16Splat = (a: Operand<'i32'>): V128 => toValue('v128', `(i8x16.splat ${operandText(a)})`);
export const i8x16NarrowI16x8U = binary('i8x16.narrow_i16x8_u');

export const i16x8Add = binary('i16x8.add');
export const i16x8AddSatS = binary('i16x8.add_sat_s');
export const i16x8Sub = binary('i16x8.sub');
export const i16x8Mul = binary('i16x8.mul');
export const i16x8Q15mulrSatS = binary('i16x8.q15mulr_sat_s');
export const i16x8MinS = binary('i16x8.min_s');
export const i16x8MaxS = binary('i16x8.max_s');
export const i16x8LeS = binary('i16x8.le_s');
export const i16x8Ne = binary('i16x8.ne');
export const i16x8ShrS = shift('i16x8.shr_s');
export const i16x8ExtendLowI8x16S = unary('i16x8.extend_low_i8x16_s');
export const i16x8ExtendHighI8x16S = unary('i16x8.extend_high_i8x16_s');
export const i16x8Shl = shift('i16x8.shl');
export const i16x8ShrU = shift('i16x8.shr_u');
export const i16x8Bitmask = toNumber('i16x8.bitmask');
export const i16x8NarrowI32x4S = binary('i16x8.narrow_i32x4_s');
export const i16x8ExtendLowI8x16U = unary('i16x8.extend_low_i8x16_u');
export const i16x8ExtendHighI8x16U = unary('i16x8.extend_high_i8x16_u');
export const i16x8ExtaddPairwiseI8x16U = unary('i16x8.extadd_pairwise_i8x16_u');
export const i16x8ExtaddPairwiseI8x16S = unary('i16x8.extadd_pairwise_i8x16_s');
export const i16x8Splat = (a: Operand<'i32'>): V128 => toValue('v128', `(i16x8.splat ${operandText(a)})`);
export const i16x8ExtractLaneS = (lane: number, a: V128): I32 =>
  toValue('i32', `(i16x8.extract_lane_s ${lane} ${a.text})`);
export const i16x8ReplaceLane = (lane: number, a: V128, value: Operand<'i32'>): V128 =>
  toValue('v128', `(i16x8.replace_lane ${lane} ${a.text} ${operandText(value)})`);

export const i32x4Add = binary('i32x4.add');
export const i32x4Sub = binary('i32x4.sub');
export const i32x4Mul = binary('i32x4.mul');
export const i32x4MinS = binary('i32x4.min_s');
export const i32x4MaxS = binary('i32x4.max_s');
export const i32x4LeS = binary('i32x4.le_s');
export const i32x4GtS = binary('i32x4.gt_s');
export const i32x4DotI16x8S = binary('i32x4.dot_i16x8_s');
export const i32x4Shl = shift('i32x4.shl');
export const i32x4ShrS = shift('i32x4.shr_s');
export const i32x4ExtendLowI16x8S = unary('i32x4.extend_low_i16x8_s');
export const i32x4ExtendHighI16x8S = unary('i32x4.extend_high_i16x8_s');
export const i32x4ExtendLowI16x8U = unary('i32x4.extend_low_i16x8_u');
export const i32x4ExtendHighI16x8U = unary('i32x4.extend_high_i16x8_u');
export const i32x4ExtaddPairwiseI16x8S = unary('i32x4.extadd_pairwise_i16x8_s');
export const i32x4ExtaddPairwiseI16x8U = unary('i32x4.extadd_pairwise_i16x8_u');
export const i32x4ExtractLane = (lane: number, a: V128): I32 =>
  toValue('i32', `(i32x4.extract_lane ${lane} ${a.text})`);
export const i32x4Splat = (a: Operand<'i32'>): V128 => toValue('v128', `(i32x4.splat ${operandText(a)})`);
/** `sums` + a . b in each lane; which operand is signed: see dot-loop.ts of the engine's kernels. */
export const i32x4RelaxedDotI8x16I7x16AddS = (a: V128, b: V128, sums: V128): V128 =>
  toValue('v128', `(i32x4.relaxed_dot_i8x16_i7x16_add_s ${a.text} ${b.text} ${sums.text})`);

export const i64x2ExtractLane = (lane: number, a: V128): I64 =>
  toValue('i64', `(i64x2.extract_lane ${lane} ${a.text})`);

export const f32x4Add = binary('f32x4.add');
export const f32x4Sub = binary('f32x4.sub');
export const f32x4Mul = binary('f32x4.mul');
export const f32x4Div = binary('f32x4.div');
export const f32x4Pmin = binary('f32x4.pmin');
export const f32x4Pmax = binary('f32x4.pmax');
export const f32x4ConvertI32x4S = unary('f32x4.convert_i32x4_s');
export const f32x4DemoteF64x2Zero = unary('f32x4.demote_f64x2_zero');
export const f32x4Splat = (a: F32): V128 => toValue('v128', `(f32x4.splat ${a.text})`);
export const f64x2Add = binary('f64x2.add');
export const f64x2Sub = binary('f64x2.sub');
export const f64x2Mul = binary('f64x2.mul');
export const f64x2Div = binary('f64x2.div');
export const f64x2ConvertLowI32x4S = unary('f64x2.convert_low_i32x4_s');
export const f64x2PromoteLowF32x4 = unary('f64x2.promote_low_f32x4');

/** @param order for each byte of the result: 0 to 15 of `a`, 16 to 31 of `b`. */
export function i8x16Shuffle(order: readonly number[], a: V128, b: V128): V128 {
  if (order.length !== 16) throw new RangeError(`a shuffle takes 16 bytes, not ${order.length}`);
  return toValue('v128', `(i8x16.shuffle ${order.join(' ')} ${a.text} ${b.text})`);
}
/** A shuffle of 32-bit lanes: 0 to 3 of `a`, 4 to 7 of `b`. */
export const shuffleLanes32 = (order: readonly number[], a: V128, b: V128): V128 =>
  i8x16Shuffle(
    order.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte)),
    a,
    b,
  );
