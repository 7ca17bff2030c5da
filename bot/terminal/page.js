<script>
(() => {
  const frame = document.querySelector(".hero .frame"), content = document.getElementById("content");
  const hint = document.getElementById("hint");
  if (!frame || !content || !hint) return;
  const over = new Image(), edge = document.createElement("div"), slider = document.createElement("input");
  over.src = content.src; over.alt = ""; over.className = "over"; edge.className = "edge";
  Object.assign(slider, { type: "range", min: 0, max: 100, step: 0.1, value: 0 });
  slider.setAttribute("aria-label", "How much of the content picture is shown over the painting");
  const cut = () => {
    frame.style.setProperty("--cut", slider.value + "%");
    edge.hidden = slider.value === "0";
  };
  slider.addEventListener("input", cut); cut();
  frame.append(over, edge, slider);
  hint.hidden = false;
})();
</script>
