// A canvas on which pointers draw freely and a pen moves from cell to cell.

const CELLS = 28; // in a row, as MNIST has pixels
const WIDTH = 20; // of 280 pixels: after scaling about two, as in MNIST
const INK = "black";
const PAPER = "white";

/**
 * Make a canvas one to draw on.
 *
 * `cursor` shows where the pen of the keyboard is; `changed` is called when the drawing changes.
 */
export function drawingPad(canvas, cursor, changed) {
  const context = canvas.getContext("2d");
  const cell = canvas.width / CELLS;
  let column = CELLS / 2; // from 1 to 28
  let row = CELLS / 2;
  let down = false;
  let inked = false;

  wipe();
  const pointers = followPointers(canvas, {
    begin(point) {
      cursor.hidden = true;
      lift();
      stroke(point, point);
      rest(point);
    },
    go(from, to) {
      stroke(from, to);
      rest(to);
    },
  });

  function wipe() {
    context.fillStyle = PAPER;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.strokeStyle = INK;
    context.lineWidth = WIDTH;
    context.lineCap = "round";
    context.lineJoin = "round";
    inked = false;
  }

  function stroke(from, to) {
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
    inked = true;
    changed();
  }

  function here() {
    return [(column - 1 / 2) * cell, (row - 1 / 2) * cell];
  }

  /** Let the keyboard go on where the pointer was. */
  function rest([x, y]) {
    column = within(Math.ceil(x / cell));
    row = within(Math.ceil(y / cell));
  }

  function show() {
    cursor.hidden = false;
    cursor.classList.toggle("down", down);
    cursor.style.setProperty("--x", here()[0] / canvas.width);
    cursor.style.setProperty("--y", here()[1] / canvas.height);
  }

  function lift() {
    down = false;
    cursor.classList.remove("down");
  }

  canvas.addEventListener("focus", show);
  canvas.addEventListener("blur", () => {
    cursor.hidden = true;
  });

  return {
    get column() {
      return column;
    },
    get row() {
      return row;
    },
    get down() {
      return down;
    },
    get inked() {
      return inked;
    },
    /** Whether a pointer is drawing. */
    get pointing() {
      return pointers.active;
    },
    lift,

    /** Lower the pen, which leaves a dot, or lift it. */
    toggle() {
      down = !down;
      if (down) stroke(here(), here());
      show();
    },

    /** Move the pen, which draws if it is down. */
    move(columns, rows) {
      const from = here();
      column = within(column + columns);
      row = within(row + rows);
      if (down) stroke(from, here());
      show();
    },

    clear() {
      wipe();
      lift();
      changed();
    },

    /** The drawing as a data URL. */
    png() {
      return canvas.toDataURL("image/png");
    },
  };
}

function within(index) {
  return Math.min(Math.max(index, 1), CELLS);
}

/** Call `begin` and `go` with points of the canvas, for mouse, finger and pen alike. */
function followPointers(canvas, { begin, go }) {
  let pointer = null;
  let last = null;

  function point(event) {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) * canvas.width) / box.width,
      ((event.clientY - box.top) * canvas.height) / box.height,
    ];
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button !== 0) return;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    last = point(event);
    canvas.focus({ preventScroll: true });
    begin(last);
    event.preventDefault(); // no selection, no mouse events after touch
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const parts = event.getCoalescedEvents?.() ?? [];
    for (const part of parts.length ? parts : [event]) {
      const next = point(part);
      go(last, next);
      last = next;
    }
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
    canvas.addEventListener(end, (event) => {
      if (event.pointerId === pointer) pointer = null;
    });
  }

  return {
    get active() {
      return pointer !== null;
    },
  };
}
