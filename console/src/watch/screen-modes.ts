/** What Safari on an iPhone has instead of the Fullscreen API: only the video itself can fill the screen. */
interface AppleVideo extends HTMLVideoElement {
  readonly webkitEnterFullscreen?: () => void;
}

/** Whether this browser can fill the screen with the player or at least its video. */
export const canFullscreen = (video: AppleVideo | null): boolean =>
  document.fullscreenEnabled || video?.webkitEnterFullscreen !== undefined;

/** Fills the screen with the player, or gives it back. A refusal by the browser changes nothing. */
export async function toggleFullscreen(frame: HTMLElement | null, video: AppleVideo | null): Promise<void> {
  if (document.fullscreenElement) return document.exitFullscreen();
  if (document.fullscreenEnabled) await frame?.requestFullscreen().catch(() => undefined);
  else video?.webkitEnterFullscreen?.();
}

/** Whether this browser can show the picture in a small window of its own. */
export const canPictureInPicture = (): boolean => document.pictureInPictureEnabled === true;

/** Puts the picture into a small window, or back. A refusal by the browser changes nothing. */
export async function togglePictureInPicture(video: HTMLVideoElement | null): Promise<void> {
  if (document.pictureInPictureElement) await document.exitPictureInPicture();
  else await video?.requestPictureInPicture().catch(() => undefined);
}
