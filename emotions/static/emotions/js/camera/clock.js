// A worker that says when: timers of a hidden page are slowed down, a worker's are not.

let timer = 0;

self.onmessage = ({ data: { every } }) => {
  clearInterval(timer);
  timer = every ? setInterval(() => self.postMessage("tick"), every) : 0;
};
