// Runs in the measured page and takes all times there, at animation frames: what a frame shows, a person can see.
(() => {
  const GIVE_UP = 10_000; // ms
  const find = (selector) => document.querySelector(selector);
  const visible = (element) => Boolean(element?.checkVisibility({ visibilityProperty: true, opacityProperty: true }));
  const text = (selector) => (visible(find(selector)) ? find(selector).textContent.replace(/\s+/g, " ").trim() : "");
  const loaded = (image) => Boolean(image?.complete && image.naturalWidth);

  // The ms from `start()`, once it gives a time of the page's clock, to the first frame in which each check holds.
  const firstFrames = (checks, start) =>
    new Promise((done) => {
      const times = {};
      const began = performance.now();
      const look = () => {
        const zero = start();
        if (zero !== null)
          for (const [name, holds] of Object.entries(checks))
            if (!(name in times) && holds()) times[name] = performance.now() - zero;
        const all = Object.keys(times).length === Object.keys(checks).length;
        if (all || performance.now() - began > GIVE_UP) done(times);
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });

  window.bench = {
    // From the start of the navigation until the input can be typed in.
    open: (name) => {
      const input = () => document.getElementsByName(name)[0];
      const usable = () => visible(input()) && !input().disabled && !input().readOnly;
      bench.opened = firstFrames({ usable }, () => 0);
    },
    // From the next click's own time stamp to the right number and to the new chart.
    arm: ({ number, chart, want }) => {
      const before = find(chart)?.currentSrc;
      let pressed = null;
      addEventListener("click", (event) => (pressed = event.timeStamp), { capture: true, once: true });
      const checks = {
        number: () => text(number) === want,
        chart: () => visible(find(chart)) && loaded(find(chart)) && find(chart).currentSrc !== before,
      };
      bench.shown = firstFrames(checks, () => pressed);
    },
    paint: () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
  };
})();
