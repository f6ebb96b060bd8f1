// <erfarings-soegning server="https://erfaringer.kommune.dk"></erfarings-soegning>
// The server is the address users see, with its path if it has one.
// A search field for another site's page. It asks the API as whoever is signed in to Erfaringsbasen, shows the short
// answer with its sources, how sure it is and how many projects it covers, takes a word on its worth, and leads on to
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
  .worth { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
  .worth p { margin: 0; }
  .worth button { min-height: 2.5rem; padding: 0 1rem; border: 1px solid #0059b3; background: #fff; color: #0059b3; }
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
      const response = await this.fetch("/api/v1/answer?" + new URLSearchParams({ q: question }), { signal: waiting.signal });
      const body = await response.json();
      this.say(response.ok ? this.answer(body) : this.refused(response.status, body, question));
    } catch (error) {
      if (error.name !== "AbortError") this.say([made("p", {}, ["Erfaringsbasen kan ikke nås lige nu."])]);
    }
  }

  // With the session's cookie, which the browser sends along from pages of the same site.
  fetch(path, options) {
    return fetch(this.address(path), { credentials: "include", ...options });
  }

  refused(status, body, question) {
    if (status !== 401) return [made("p", {}, [body.detail || "Der skete en fejl."])];
    return [
      made("p", {}, ["Du er ikke logget ind i Erfaringsbasen. Log ind, og spørg så igen her."]),
      made("p", {}, [made("a", { href: this.page(question) }, ["Log ind, og se svaret i Erfaringsbasen"])]),
    ];
  }

  page(question) {
    return this.address("/sporg?" + new URLSearchParams({ q: question }));
  }

  answer({ question, build_id, answer, citations }) {
    const parts = answer.refused
      ? [made("p", {}, [answer.message])]
      : [
          ...(answer.lead ? [made("p", {}, [answer.lead])] : []),
          made("ul", {}, answer.sentences.map((sentence) => made("li", {}, [
            sentence.text, " ", ...sentence.citations.map((number) => this.source(citations[number - 1])),
          ]))),
          made("p", {}, [`Svarets sikkerhed: ${answer.certainty}.`]),
          ...(answer.coverage.of ? [made("p", {}, [answer.coverage.sentence + "."])] : []),
        ];
    const more = made("p", {}, [made("a", { href: this.page(question) }, ["Se hele svaret i Erfaringsbasen"])]);
    const cited = [...new Set(citations.map((citation) => citation.passage_id))].slice(0, 50);
    return [...parts, more, this.worth({ question, build_id, citations: cited })];
  }

  worth(about) {
    const said = made("div", { class: "worth" });
    const choice = (text, useful) => {
      const button = made("button", { type: "button" }, [text]);
      button.addEventListener("click", () => this.tell(said, { ...about, useful }));
      return button;
    };
    said.append(made("p", {}, ["Var svaret nyttigt?"]), choice("Ja", true), choice("Nej", false));
    return said;
  }

  async tell(said, feedback) {
    const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(feedback) };
    const response = await this.fetch("/api/v1/feedback", options).catch(() => null);
    const text = response?.ok ? "Tak for din tilbagemelding." : "Tilbagemeldingen kunne ikke sendes.";
    said.replaceChildren(made("p", {}, [text]));
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
