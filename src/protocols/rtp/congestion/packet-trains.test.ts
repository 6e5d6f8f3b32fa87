import { describe, expect, it } from 'vitest';
import { PacketTrains } from './packet-trains.ts';

/** Sends `perPump` packets of 1,200 bytes every 5 ms over a link of `capacityBps`; how many trains were seen. */
function send(trains: PacketTrains, perPump: number, pumps: number, capacityBps: number, startUs = 1e6): number {
  let freeUs = 0;
  let seen = 0;
  for (let pump = 0; pump < pumps; pump++) {
    const sentUs = startUs + pump * 5000;
    for (let packet = 0; packet < perPump; packet++) {
      freeUs = Math.max(freeUs, sentUs) + (1200 * 8e6) / capacityBps;
      if (trains.add(sentUs, freeUs + 20_000, 1200)) seen++;
    }
  }
  return seen;
}

describe('PacketTrains', () => {
  it('measures the rate sent on a link that carries it', () => {
    const trains = new PacketTrains();
    expect(send(trains, 2, 16, 1e9)).toBeGreaterThan(0);
    expect(trains.rates.sentBps).toBeCloseTo(3_840_000, -2);
    expect(trains.rates.arrivedBps).toBeCloseTo(3_840_000, -2);
  });

  it('measures the capacity of a link that does not', () => {
    const trains = new PacketTrains();
    expect(send(trains, 4, 16, 2e6)).toBeGreaterThan(0);
    expect(trains.rates.sentBps).toBeCloseTo(7_680_000, -2);
    expect(trains.rates.arrivedBps).toBeCloseTo(2_000_000, -2);
  });

  it('finds none in few packets, in short bursts, or across pauses', () => {
    const trains = new PacketTrains();
    expect(send(trains, 1, 6, 1e9)).toBe(0);
    for (let frame = 0; frame < 60; frame++) expect(send(trains, 5, 2, 1e9, 2e6 + frame * 33_000)).toBe(0);
  });

  it('finds none in packets that waited for each other', () => {
    const trains = new PacketTrains();
    let seen = 0;
    for (let pump = 0; pump < 16; pump++) if (trains.add(1e6 + pump * 5000, 2e6 + pump, 1200)) seen++;
    expect(seen).toBe(0);
  });
});
