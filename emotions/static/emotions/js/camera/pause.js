// That a student has paused outlasts a reload of this tab, and whatever else makes the page anew: only a press ends it.

export class Pause {
  #key;
  #on;

  /** `who`: the student in this session. The next one at this computer has paused nothing. */
  constructor(who) {
    this.#key = `roomtone.paused.${who}`;
    this.#on = stored(() => sessionStorage.getItem(this.#key)) !== null;
  }

  get on() {
    return this.#on;
  }

  begin() {
    this.#on = true;
    stored(() => sessionStorage.setItem(this.#key, "yes"));
  }

  end() {
    this.#on = false;
    stored(() => sessionStorage.removeItem(this.#key));
  }
}

/** What `act` gives, or null in a browser that keeps nothing: there a pause ends with the page. */
function stored(act) {
  try {
    return act();
  } catch {
    return null;
  }
}
