// Runs in the measured page: takes the time from a slider's own event to the first frame that shows the new number.
(() => {
  const GIVE_UP = 5_000; // ms
  const text = (selector) => document.querySelector(selector)?.textContent.trim();

  window.bench = {
    // From the next input event's own time stamp until the ring stands elsewhere and the text says the slider's value.
    arm: ({ number, mark, said }) => {
      const before = document.querySelector(mark)?.getAttribute("cx");
      const old = text(number);
      let moved = null;
      let value = "";
      addEventListener(
        "input",
        (event) => {
          moved = event.timeStamp;
          value = event.target.value;
        },
        { capture: true, once: true },
      );
      bench.shown = new Promise((done) => {
        const began = performance.now();
        const times = {};
        const look = () => {
          const now = performance.now();
          if (moved !== null && text(said)?.replaceAll(",", "").includes(value)) {
            times.number ??= now - moved;
            if (document.querySelector(mark)?.getAttribute("cx") !== before) times.curve ??= now - moved;
          }
          if (("number" in times && "curve" in times) || now - began > GIVE_UP) done({ ...times, old, new: text(number) });
          else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      });
    },
  };
})();
