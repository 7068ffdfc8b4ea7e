// What moves on the pages of a scenario report. Everything that matters is there without it.
"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// ── the run's page: filter and sort ─────────────────────────────────────────────────────────────────────────────────

function results(table) {
  const form = document.getElementById("filters");
  const rows = all("tbody tr", table);
  const none = document.getElementById("none-shown");
  const count = document.getElementById("shown-count");

  function filter() {
    const wanted = new FormData(form);
    const word = wanted.get("word") || "";
    const rule = wanted.get("rule") || "";
    const text = (wanted.get("text") || "").trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden =
        (word !== "" && row.dataset.word !== word) ||
        (rule !== "" && !row.dataset.rules.split(" ").includes(rule)) ||
        (text !== "" && !row.textContent.toLowerCase().includes(text));
      shown += row.hidden ? 0 : 1;
    }
    none.hidden = shown > 0;
    count.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} shown`;
  }

  function valueOf(row, column) {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent.trim() : cell.dataset.value;
  }

  function sortBy(heading, button) {
    const down = heading.getAttribute("aria-sort") === "ascending";
    const byNumber = heading.dataset.sort !== "text";
    for (const other of all("th", table)) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const column = heading.cellIndex;
    const compare = (one, other) =>
      byNumber
        ? Number(valueOf(one, column)) - Number(valueOf(other, column))
        : valueOf(one, column).localeCompare(valueOf(other, column));
    rows.sort((one, other) => (down ? -compare(one, other) : compare(one, other)));
    table.tBodies[0].append(...rows);
    button.focus();
  }

  for (const heading of all("th[data-sort]", table)) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sortBy(heading, button));
  }
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("show-all").addEventListener("click", () => {
    form.reset();
    filter();
  });
  filter();
}

// ── a scenario's page: the picture ──────────────────────────────────────────────────────────────────────────────────

/** Seconds to pixels and back on the straight lines between `knots`, pairs of both. */
function between(knots, from, to, value) {
  let place = 1;
  while (place < knots.length - 1 && knots[place][from] < value) place += 1;
  const [before, after] = [knots[place - 1], knots[place]];
  const share = (value - before[from]) / (after[from] - before[from]);
  return before[to] + Math.min(1, Math.max(0, share)) * (after[to] - before[to]);
}

class View {
  constructor(level) {
    this.level = level;
    this.scroll = level.querySelector(".scroll");
    this.canvas = level.querySelector(".canvas");
    this.cursor = level.querySelector(".cursor");
    this.playhead = level.querySelector(".playhead");
    this.knots = JSON.parse(level.querySelector(".call").dataset.knots);
    this.items = all(".it", level).sort((one, other) => one.dataset.at - other.dataset.at);
  }
  x(second) {
    return between(this.knots, 0, 1, second);
  }
  second(x) {
    return between(this.knots, 1, 0, x);
  }
  secondAt(event) {
    return this.second(event.clientX - this.canvas.getBoundingClientRect().left);
  }
  get middle() {
    const left = this.canvas.getBoundingClientRect().left - this.scroll.getBoundingClientRect().left;
    return this.second(this.scroll.clientWidth / 2 - left);
  }
  centre(second, behavior = "auto") {
    this.scroll.scrollTo({ left: this.x(second) + this.canvas.offsetLeft - this.scroll.clientWidth / 2, behavior });
  }
  isInSight(second) {
    const left = this.scroll.getBoundingClientRect().left;
    const x = this.canvas.getBoundingClientRect().left + this.x(second) - left;
    return x > 20 && x < this.scroll.clientWidth - 40;
  }
}

function picture(section) {
  const views = all(".level", section).map((level) => new View(level));
  const sounds = all("audio", section);
  const tip = document.getElementById("tip");
  const levels = section.querySelector(".levels");
  let now = views.findIndex((view) => !view.level.hidden);
  let sound = sounds[0] || null;

  // zoom
  const buttons = all("[data-zoom]", section);
  function zoom(to, second = views[now].middle) {
    const next = Math.min(views.length - 1, Math.max(0, to));
    views[now].level.hidden = true;
    now = next;
    views[now].level.hidden = false;
    views[now].centre(second);
    section.querySelector(".zoom-name").textContent = views[now].level.dataset.name;
    for (const button of buttons) {
      const closer = button.dataset.zoom === "1";
      button.disabled = closer ? now === views.length - 1 : now === 0;
    }
    hideTip();
    drawPlayhead();
  }
  for (const button of buttons) {
    button.addEventListener("click", () => zoom(button.dataset.zoom === "whole" ? 0 : now + Number(button.dataset.zoom)));
  }
  section.querySelector(".zoom").hidden = views.length < 2;

  // details
  let chosen = null;
  function hideTip() {
    tip.hidden = true;
    if (chosen) chosen.classList.remove("chosen");
    chosen = null;
  }
  function showTip(item) {
    hideTip();
    chosen = item;
    item.classList.add("chosen");
    tip.textContent = item.dataset.details;
    tip.hidden = false;
    const around = levels.getBoundingClientRect();
    const box = item.getBoundingClientRect();
    const left = Math.max(box.left, around.left + 8) - around.left;
    tip.style.left = `${Math.max(8, Math.min(left, around.width - tip.offsetWidth - 8))}px`;
    const below = box.bottom - around.top + 8;
    const above = box.top - around.top - tip.offsetHeight - 8;
    tip.style.top = `${box.bottom + tip.offsetHeight + 16 > innerHeight && box.top > tip.offsetHeight + 16 ? above : below}px`;
  }
  for (const title of all(".call title", section)) {
    const item = title.parentElement;
    item.dataset.details = title.textContent;
    item.setAttribute("aria-label", title.textContent.replaceAll("\n", ", "));
    title.remove(); // or the browser would show it a second time
  }

  // the playhead
  function drawPlayhead() {
    const view = views[now];
    const isUsed = sound && (sound.currentTime > 0 || !sound.paused);
    for (const other of views) other.playhead.hidden = !isUsed;
    if (!isUsed) return;
    const second = Number(sound.dataset.begins) + sound.currentTime;
    view.playhead.style.transform = `translateX(${view.x(second)}px)`;
    if (!sound.paused && !view.isInSight(second)) view.centre(second);
  }
  function follow() {
    drawPlayhead();
    if (sound && !sound.paused) requestAnimationFrame(follow);
  }
  for (const player of sounds) {
    player.addEventListener("play", () => {
      for (const other of sounds) if (other !== player) other.pause();
      sound = player;
      follow();
    });
    player.addEventListener("seeked", drawPlayhead);
    player.addEventListener("timeupdate", drawPlayhead);
    player.addEventListener("loadedmetadata", drawPlayhead);
  }
  section.classList.toggle("has-sound", sounds.length > 0);
  function seek(second) {
    if (sound) sound.currentTime = Math.max(0, second - Number(sound.dataset.begins));
    drawPlayhead();
  }

  // pointer and keys
  for (const view of views) {
    view.canvas.addEventListener("pointermove", (event) => {
      const item = event.target.closest(".it, a.pin");
      if (item !== chosen && item && event.pointerType === "mouse") showTip(item);
      if (!item && event.pointerType === "mouse") hideTip();
      const second = view.secondAt(event);
      view.cursor.hidden = event.pointerType !== "mouse";
      view.cursor.style.transform = `translateX(${view.x(second)}px)`;
      view.cursor.firstElementChild.textContent = `${second.toFixed(2)} s`;
    });
    view.canvas.addEventListener("pointerleave", () => {
      view.cursor.hidden = true;
      if (!view.level.contains(document.activeElement)) hideTip();
    });
    view.canvas.addEventListener("click", (event) => {
      const item = event.target.closest(".it, a.pin");
      if (item) showTip(item);
      else hideTip();
      seek(view.secondAt(event));
    });
    view.scroll.addEventListener("scroll", hideTip, { passive: true });
    view.scroll.addEventListener("keydown", (event) => {
      const place = view.items.indexOf(document.activeElement);
      let next = null;
      if (event.key === "ArrowRight") next = view.items[place + 1];
      else if (event.key === "ArrowLeft") next = view.items[place < 0 ? view.items.length - 1 : place - 1];
      else if (event.key === "ArrowDown" || event.key === "ArrowUp") next = neighbour(view, place, event.key === "ArrowDown" ? 1 : -1);
      else if (event.key === "Escape") return hideTip();
      else if (event.key === "Enter" && place >= 0) {
        seek(Number(view.items[place].dataset.at));
        if (sound) sound.play();
        return undefined;
      } else return undefined;
      event.preventDefault();
      if (next) {
        if (!view.isInSight(Number(next.dataset.at))) view.centre(Number(next.dataset.at));
        next.focus({ preventScroll: true });
        showTip(next);
      }
      return undefined;
    });
  }
  /** What is nearest in time in the next lane that has anything, up or down. */
  function neighbour(view, place, step) {
    if (place < 0) return view.items[0];
    const [lane, at] = [Number(view.items[place].dataset.lane), Number(view.items[place].dataset.at)];
    const beyond = view.items.filter((item) => (Number(item.dataset.lane) - lane) * step > 0);
    const nearest = Math.min(...beyond.map((item) => Math.abs(Number(item.dataset.lane) - lane)));
    return beyond
      .filter((item) => Math.abs(Number(item.dataset.lane) - lane) === nearest)
      .sort((one, other) => Math.abs(one.dataset.at - at) - Math.abs(other.dataset.at - at))[0];
  }

  for (const link of all("a.in-picture")) {
    link.addEventListener("click", () => {
      const second = Number(link.dataset.second);
      views[now].centre(second);
      seek(second);
    });
  }
  zoom(now, 0);
  views[now].scroll.scrollLeft = 0;
}

// ── both ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What an address points at must be open to be seen. */
function openTarget() {
  const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
  if (!target) return;
  for (let around = target.parentElement; around; around = around.parentElement) {
    if (around.tagName === "DETAILS") around.open = true;
  }
  target.scrollIntoView();
}

document.addEventListener("DOMContentLoaded", () => {
  const table = document.getElementById("results");
  if (table && table.tagName === "TABLE") results(table);
  const section = document.getElementById("picture");
  if (section) picture(section);
  openTarget();
});
addEventListener("hashchange", openTarget);
addEventListener("beforeprint", () => {
  for (const details of all("details.rest, #verdicts details")) details.open = true;
});
