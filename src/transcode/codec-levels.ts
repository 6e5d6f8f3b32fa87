/** What a level of a codec allows. Sizes count luma samples, or macroblocks of 16x16 for H.264; rates are a second. */
export interface Level {
  /** As the codec string has it. */
  readonly value: number;
  readonly pictureMax: number;
  readonly rateMax: number;
  readonly bitrateMax: number;
  /** The longest side; absent: none but what the picture's size allows. */
  readonly sideMax?: number;
}

type Row = readonly [value: number, pictureMax: number, rateMax: number, kbpsMax: number, sideMax?: number];

const levels = (rows: readonly Row[]): readonly Level[] =>
  rows.map(([value, pictureMax, rateMax, kbpsMax, sideMax]) => ({
    value,
    pictureMax,
    rateMax,
    bitrateMax: kbpsMax * 1000,
    ...(sideMax === undefined ? {} : { sideMax }),
  }));

/** A side may be as long as the square root of eight pictures (ITU-T H.264 A.3.1, ITU-T H.265 A.4.1, VP9 annex A). */
const longestSide = ({ pictureMax, sideMax }: Level): number => sideMax ?? Math.sqrt(8 * pictureMax);

/** The lowest level that allows all of this; the highest there is when none does. */
export function levelFor(table: readonly Level[], widthUnits: number, heightUnits: number, frameRate: number, bitrateBps: number): number {
  const picture = widthUnits * heightUnits;
  const fits = table.find(
    (level) =>
      picture <= level.pictureMax &&
      picture * frameRate <= level.rateMax &&
      bitrateBps <= level.bitrateMax &&
      Math.max(widthUnits, heightUnits) <= longestSide(level),
  );
  return (fits ?? table.at(-1))?.value ?? 0;
}

/** ITU-T H.264 table A-1; 9 is level 1b, as the High profile writes it. Bit rates are those of the Baseline and Main profiles; High allows a quarter more. */
export const H264_LEVELS: readonly Level[] = levels([
  [10, 99, 1485, 64],
  [9, 99, 1485, 128],
  [11, 396, 3000, 192],
  [12, 396, 6000, 384],
  [13, 396, 11_880, 768],
  [20, 396, 11_880, 2000],
  [21, 792, 19_800, 4000],
  [22, 1620, 20_250, 4000],
  [30, 1620, 40_500, 10_000],
  [31, 3600, 108_000, 14_000],
  [32, 5120, 216_000, 20_000],
  [40, 8192, 245_760, 20_000],
  [41, 8192, 245_760, 50_000],
  [42, 8704, 522_240, 50_000],
  [50, 22_080, 589_824, 135_000],
  [51, 36_864, 983_040, 240_000],
  [52, 36_864, 2_073_600, 240_000],
  [60, 139_264, 4_177_920, 240_000],
  [61, 139_264, 8_355_840, 480_000],
  [62, 139_264, 16_711_680, 800_000],
]);

/** ITU-T H.265 tables A.8 and A.9, Main tier; the value is general_level_idc, thirty times the level. */
export const HEVC_LEVELS: readonly Level[] = levels([
  [30, 36_864, 552_960, 128],
  [60, 122_880, 3_686_400, 1500],
  [63, 245_760, 7_372_800, 3000],
  [90, 552_960, 16_588_800, 6000],
  [93, 983_040, 33_177_600, 10_000],
  [120, 2_228_224, 66_846_720, 12_000],
  [123, 2_228_224, 133_693_440, 20_000],
  [150, 8_912_896, 267_386_880, 25_000],
  [153, 8_912_896, 534_773_760, 40_000],
  [156, 8_912_896, 1_069_547_520, 60_000],
  [180, 35_651_584, 1_069_547_520, 60_000],
  [183, 35_651_584, 2_139_095_040, 120_000],
  [186, 35_651_584, 4_278_190_080, 240_000],
]);

/** VP9 bitstream specification, annex A. VP8 has no levels; its codec string takes these. */
export const VP9_LEVELS: readonly Level[] = levels([
  [10, 36_864, 829_440, 200],
  [11, 73_728, 2_764_800, 800],
  [20, 122_880, 4_608_000, 1800],
  [21, 245_760, 9_216_000, 3600],
  [30, 552_960, 20_736_000, 7200],
  [31, 983_040, 36_864_000, 12_000],
  [40, 2_228_224, 83_558_400, 18_000],
  [41, 2_228_224, 160_432_128, 30_000],
  [50, 8_912_896, 311_951_360, 60_000],
  [51, 8_912_896, 588_251_136, 120_000],
  [52, 8_912_896, 1_176_502_272, 180_000],
  [60, 35_651_584, 1_176_502_272, 180_000],
  [61, 35_651_584, 2_353_004_544, 240_000],
  [62, 35_651_584, 4_706_009_088, 480_000],
]);

/** AV1 specification, annex A.3, Main tier; the value is seq_level_idx. */
export const AV1_LEVELS: readonly Level[] = levels([
  [0, 147_456, 4_423_680, 1500, 2048],
  [1, 278_784, 8_363_520, 3000, 2816],
  [4, 665_856, 19_975_680, 6000, 4352],
  [5, 1_065_024, 31_950_720, 10_000, 5504],
  [8, 2_359_296, 70_778_880, 12_000, 6144],
  [9, 2_359_296, 141_557_760, 20_000, 6144],
  [12, 8_912_896, 267_386_880, 30_000, 8192],
  [13, 8_912_896, 534_773_760, 40_000, 8192],
  [14, 8_912_896, 1_069_547_520, 60_000, 8192],
  [16, 35_651_584, 1_069_547_520, 60_000, 16_384],
  [17, 35_651_584, 2_139_095_040, 100_000, 16_384],
  [18, 35_651_584, 4_278_190_080, 160_000, 16_384],
]);
