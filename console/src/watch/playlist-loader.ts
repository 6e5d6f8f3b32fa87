import Hls, { type PlaylistLoaderConstructor, type PlaylistLoaderContext } from 'hls.js/light';

/** What hls.js loads playlists by, telling of each answer at once: hls.js asks for the next playlist before any event of its own tells of this one. */
export function playlistLoader(answered: (context: PlaylistLoaderContext, url: string) => void): PlaylistLoaderConstructor {
  const Loader = Hls.DefaultConfig.loader as PlaylistLoaderConstructor;
  return class extends Loader {
    override load(...[context, config, callbacks]: Parameters<InstanceType<PlaylistLoaderConstructor>['load']>): void {
      const onSuccess: typeof callbacks.onSuccess = (response, ...rest) => {
        answered(context, response.url);
        callbacks.onSuccess(response, ...rest);
      };
      super.load(context, config, { ...callbacks, onSuccess });
    }
  };
}
