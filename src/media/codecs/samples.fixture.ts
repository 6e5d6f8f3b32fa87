/*
 * Configuration records and first frames made by FFmpeg 5.1 from a grey picture or silence, e.g.
 * `ffmpeg -f lavfi -i color=gray:s=322x182:r=30 -frames:v 3 -c:v libx264 out.mp4`, and read out by `ffprobe -show_data`.
 */

/** Bytes from hexadecimal text; blanks are ignored. */
export function hex(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, '');
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) => Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16));
}

/** libx264, 322x182, 30 frames a second, Main: cropped on both sides. */
export const h264Main = {
  config: hex('014d400dffe10018674d400dd901519e226c0440000003004000000f03c50a9201000568ebc3cb20'),
  keyframe: hex('000000356588840bfffef6aefcdc54a970eacbdd9a8f97424b97ec4183eb400009b5ae2c15b450985603005ac000125143cb5512b35fa736c1'),
  interframe: hex('0000000b419a3b10affe3840002da0'),
};
/** 1920x1080 of 1088 coded lines, 30000/1001, Constrained Baseline. */
export const h264Baseline1080 = hex('0142c028ffe100176742c028da01e0089f97011000003e90000ea600f1832a01000468ce0fc8');
/** 1920x1080 coded as fields, 25 frames a second. */
export const h264Interlaced = hex('014d4028ffe10019674d4028f403c0227ef011000003000100000300321f162ea001000468de0fc8');
/** 128x96, 4:2:2, 10 bits, 50 frames a second. */
export const h264High422 = hex('017a000bffe10018677a000bb6cd9420db0110000003001000000640f142996001000668ebe3cb22c0fefafa00');
/** 96x62, 4:4:4. */
export const h264High444 = hex('01f4000affe1001967f4000a919b28c4fde022000003000200000300c81e244b2c01000668ebe3c44844fff8f800');
/** 640x360, High, three B-frames between the others, which may refer to each other. */
export const h264HighReordered = hex('0164001effe1001a6764001eacd940a02ff970110000030001000003003c0f162d9601000668ebe3cb22c0fdf8f800');
/** The start of a periodic intra refresh: recovery point SEI and a P slice. */
export const h264RecoveryPoint = hex('000000060606023c40800000001e419b06217fc16bb3c3991753cfee9d297eda92a1768af87d5d0ecfacf65d');

/** libx265, 322x182, 30 frames a second, Main. */
export const hevcMain = {
  config: hex(
    `0101600000009000000000003cf000fcfdf8f800000f03200001001840010c01ffff01600000030090000003000003003c92809021
     0001002b42010101600000030090000003000003003ca00a480b9c95964a924caf016808000003000800000300f040
     22000100074401c172b46240`,
  ),
  keyframe: hex('000000382801af085960a8f92a5cf3655ff4353584640b6176003e20a90dc806e8e748000022e093000003005b000032000003000003000003000a08'),
  interframe: hex('000000170201d0097e10c610b6e4fa9cd860f40c560b4094e79840'),
};
/** libx265, 320x180, Main, three B-frames of which one is a reference. */
export const hevcReordered = hex(
  `0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003003c959409
   a10001002b42010101600000030090000003000003003ca00a080b9f796565924caf016808000003000800000300c840
   a2000100074401c172b46240`,
);
/** libx265, 322x182, 24000/1001, Main 10, HDR10 colour. */
export const hevcMain10 = {
  config: hex(
    `0102200000009000000000003cf000fcfdfafa00000f04a00001001840010c01ffff02200000030090000003000003003c959809a1
     0001002d42010102200000030090000003000003003ca00a480b9c94d96566924caf016a1220120800001f480002ee0040
     a2000100074401c172b46240270001000a4e019004000003000080`,
  ),
  keyframe: hex(
    `0000001840010c01ffff02200000030090000003000003003c95980900
     00002d42010102200000030090000003000003003ca00a480b9c94d96566924caf016a1220120800001f480002ee0040
     000000074401c172b462400000000a4e01900400000300008000000038
     2801af1d658aa00850d45d1dd8aa3c01fd1329415a226003eaa971ca051881278000111093000003003600001b8000000300000300000484`,
  ),
};

/** libaom, 322x182, 8 bits. */
export const av1Main = {
  config: hex('81000c000a0b000000043d06d4daf90040'),
  keyframe: hex('0a0b000000043d06d4daf90040322a10008400020820880002c1b4ae591b608b5605a96262367e1fbe2f16cc8d57a441e32a0e2cc4122c1c64'),
  interframe: hex('321d30038080fdf80690001659658a0410800097bdb88cda3e30b5daf77180'),
};
/** SVT-AV1, 322x182, 10 bits. */
export const av1Main10 = {
  config: hex('81004c000a0b000000043d06d402f84040'),
  keyframe: hex('0a0b000000043d06d4fbf94040321e10008d00800004000800889dcae5624320710f7c75bd9679a54d2027af95'),
};
/** libaom, 8 bits, BT.2020 primaries and matrix, PQ transfer. */
export const av1Hdr = hex('81000c000a0e000000043d06d4daf91091009040');

/** libvpx, 322x182, profile 0. */
export const vp9Profile0 = {
  config: hex('01000000000b820202020000'),
  keyframe: hex(
    `824983420014100b560638241c184a00005043e8bf40006b38f7a69b004e06a4455465380500468a6e60a3d31fc204f997772a9b855fb398
     3a658e4d33d781f4dc66c9a793665713f63daf1de0`,
  ),
  interframe: hex('860040929c485000000570ac20000059b9e052d400'),
};
/** libvpx, 322x182, profile 2, 10 bits. */
export const vp9Profile2 = {
  config: hex('01000000020ba20202020000'),
  keyframe: hex(
    `92498342000a0805ab031c120e0c2c0000404778fc8c00c300006b4113209090b47072a0007bb8e4f9331bbf86e70a8e3940d40e69e69f58
     89d29606cf7b6b0e0c8d10c2fc0cd934f26ccae27ec6aa48e5ba14a79f64d6eeccd980`,
  ),
};

/** libvpx, 322x182; the keyframe is cut after its first bytes. */
export const vp8Frames = {
  keyframe: hex('900f009d012a4201b600004708858588998488020200061604f70681649f6bdb9b27387b'),
  interframe: hex('1109000c118c001800186ff40c000002aaab'),
};

export const aacSamples = {
  /** 48,000 Hz stereo, with a sync extension that says there is no SBR. */
  stereo: hex('119056e500'),
  /** 44,100 Hz, 5.1. */
  surround: hex('123056e500'),
  /** 48,000 Hz, 3.1 in a program_config_element with a comment. */
  programConfig: hex('118004c8010020000d4c61766335392e33372e31303056e500'),
  frame: hex('211004608c1c'),
  /** 44,100 Hz mono. */
  adts: hex('fff15040017ffc01182007'),
};

export const opusSamples = {
  head: hex('4f707573486561640102380180bb0000000000'),
  dOps: hex('000201380000bb80000000'),
  surroundHead: hex('4f707573486561640106380180bb00000000010402000401020305'),
  surroundDOps: hex('000601380000bb800000010402000401020305'),
  packet20Ms: hex('fcfffe'),
  packet60Ms: hex('ff03fffefffefffe'),
};

/** The first bytes of libmp3lame frames and those frames' sizes. */
export const mp3Samples = {
  mpeg1: { frame: hex('fffb9064000ff0000069000000080000'), frameBytes: 417 },
  mpeg1Padded: { frame: hex('fffb9264408ff0000069000000080000'), frameBytes: 418 },
  mpeg2: { frame: hex('fff340c4000000034800000000'), frameBytes: 104 },
  mpeg25: { frame: hex('ffe318c4000000034800000000'), frameBytes: 72 },
};
