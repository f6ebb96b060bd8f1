// <erfarings-soegning server="https://erfaringer.kommune.dk"></erfarings-soegning>
// The server is the address users see, with its path if it has one.
// A search field for another site's page. It asks the API, shows the short answer with its sources, and leads on to
// Erfaringsbasen's own pages. Everything shown is set as text, never as markup. The server must name the page's origin
// in KB_CORS_ORIGINS, and the page's own content security policy must let it connect to the server.
"use strict";

const STYLE = `
  :host { display: block; font: inherit; color: inherit; }
  form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; }
  label { flex: 1 1 100%; font-weight: 600; }
  input { flex: 1 1 16rem; min-height: 3rem; padding: 0 .75rem; font: inherit; border: 1px solid #454545; box-sizing: border-box; }
  button { min-height: 3rem; padding: 0 1.5rem; font: inherit; font-weight: 600; border: 0; background: #0059b3; color: #fff; cursor: pointer; }
  input:focus-visible, button:focus-visible, a:focus-visible { outline: 4px solid #747474; outline-offset: 2px; }
  li { margin: .5rem 0; }
  a { color: inherit; }
`;

class ErfaringsSoegning extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    this.input = made("input", { type: "search", id: "q", name: "q", required: "", autocomplete: "off" });
    this.output = made("div", { role: "status" });
    const form = made("form", { role: "search", action: this.address("/sporg"), method: "get" }, [
      made("label", { for: "q" }, [this.getAttribute("label") || "Spørg Erfaringsbasen"]),
      this.input,
      made("button", { type: "submit" }, ["Spørg"]),
    ]);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask(this.input.value.trim());
    });
    root.append(form, this.output);
  }

  address(path) {
    return new URL((this.getAttribute("server") || location.origin).replace(/\/$/, "") + path).href;
  }

  async ask(question) {
    if (!question) return;
    this.waiting?.abort();
    const waiting = this.waiting = new AbortController();
    this.say([made("p", {}, ["Søger …"])]);
    try {
      const address = this.address("/api/v1/answer?" + new URLSearchParams({ q: question }));
      const response = await fetch(address, { credentials: "omit", signal: waiting.signal });
      const body = await response.json();
      this.say(response.ok ? this.answer(body) : [made("p", {}, [body.detail || "Der skete en fejl."])]);
    } catch (error) {
      if (error.name !== "AbortError") this.say([made("p", {}, ["Erfaringsbasen kan ikke nås lige nu."])]);
    }
  }

  answer({ question, answer, citations }) {
    const parts = answer.refused
      ? [made("p", {}, [answer.message])]
      : [made("ul", {}, answer.sentences.map((sentence) => made("li", {}, [
          sentence.text, " ", ...sentence.citations.map((number) => this.source(citations[number - 1])),
        ]))), made("p", {}, [answer.coverage.sentence + "."])];
    const all = this.address("/sporg?" + new URLSearchParams({ q: question }));
    return [...parts, made("p", {}, [made("a", { href: all }, ["Se hele svaret i Erfaringsbasen"])])];
  }

  source(citation) {
    const id = encodeURIComponent(citation.passage_id);
    const path = `/dokumenter/${encodeURIComponent(citation.document_id)}?passage=${id}#${id}`;
    return made("a", { href: this.address(path) }, [`(${citation.project || citation.title})`]);
  }

  say(children) {
    this.output.replaceChildren(...children);
  }
}

function made(name, attributes = {}, children = []) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

customElements.define("erfarings-soegning", ErfaringsSoegning);
