// Boxes over a mirrored picture: elements placed in fractions of the stage, so that they fit at any size.

const leftOf = ([x, , width]) => 1 - x - width;

function place(box, fractions) {
  const [, top, width, height] = fractions;
  const sides = { left: leftOf(fractions), top, width, height };
  for (const [side, fraction] of Object.entries(sides)) box.style.setProperty(side, `${(fraction * 100).toFixed(2)}%`);
}

/** The boxes of one stage. */
export class Overlay {
  #layer;

  constructor(layer) {
    this.#layer = layer;
  }

  /** Show exactly these `faces`: { box: [x, y, width, height] as fractions, label, words, uncertain }. */
  show(faces) {
    const boxes = [...this.#layer.children];
    boxes.slice(faces.length).forEach((box) => box.remove());
    faces.forEach((face, index) => this.#draw(boxes[index] ?? this.#add(), face));
  }

  clear() {
    this.#layer.replaceChildren();
  }

  #add() {
    const box = document.createElement("div");
    box.append(document.createElement("span"));
    this.#layer.append(box);
    return box;
  }

  #draw(box, { box: fractions, label, words, uncertain }) {
    box.className = `face-box ${label ?? ""} ${uncertain ? "uncertain" : ""}`;
    box.classList.toggle("low", fractions[1] < 0.1); // No room above the face: the word goes inside.
    box.classList.toggle("right", leftOf(fractions) > 0.5); // Its word grows to the left.
    box.firstElementChild.textContent = words;
    place(box, fractions);
  }
}
