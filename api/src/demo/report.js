// Each slider moves the edge up to which the photo covers its rendition.
for (const slider of document.querySelectorAll("figure.pair input")) {
  const figure = slider.closest("figure");
  const cover = figure.querySelector("clipPath rect");
  const edge = figure.querySelector("line");
  const { x, width } = figure.querySelector("svg").viewBox.baseVal;
  const move = () => {
    const covered = (width * slider.value) / 100;
    cover.setAttribute("width", covered);
    edge.setAttribute("x1", x + covered);
    edge.setAttribute("x2", x + covered);
  };
  slider.addEventListener("input", move);
  move();
}
