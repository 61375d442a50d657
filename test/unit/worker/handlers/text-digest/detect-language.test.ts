import { expect } from "chai";
import { detectLanguage, givenLanguage } from "#worker/handlers/text-digest/detect-language.js";

describe("detectLanguage", () => {
  const samples: [string, string, string][] = [
    ["en", "eng", "A worker takes the task from the queue and tells the server when it is done."],
    ["ko", "kor", "작업자는 큐에서 작업을 꺼내어 실행하고 결과를 알린다."],
    ["fr", "fra", "Le chat dort sur la table et il ne veut pas manger le poisson."],
    ["es", "spa", "El perro corre por el parque y después vuelve a la casa con su dueño."],
    ["de", "deu", "Der Hund läuft durch den Garten und bringt den Ball zu seinem Herrn zurück."],
    ["ja", "jpn", "これはテストのための短い文章です。"],
    ["zh", "cmn", "这是一个用来测试的短文。"],
    ["ru", "rus", "Собака бежит по парку и возвращается домой вместе с хозяином."],
  ];

  for (const [code, iso6393, text] of samples) {
    it(`tells ${iso6393}`, () => {
      expect(detectLanguage(text)).to.include({ code, iso6393 });
    });
  }

  it("does not judge a text that is too short or has no letters", () => {
    for (const text of ["", "1 2 3", "OK"])
      expect(detectLanguage(text)).to.deep.equal({ code: "und", iso6393: "und", confidence: 0 });
  });

  it("is less certain of a short text than of a long one", () => {
    const short = detectLanguage("Parse and stringify JSON.");
    const long = detectLanguage(
      "The parser reads a text and gives back the value that is written in it, or it says where the text is wrong.",
    );
    expect(short.confidence).to.be.below(long.confidence);
  });

  it("takes two-letter, three-letter and regional codes", () => {
    expect(givenLanguage("ko")).to.deep.equal({ code: "ko", iso6393: "kor", confidence: 1 });
    expect(givenLanguage("kor")).to.deep.equal({ code: "ko", iso6393: "kor", confidence: 1 });
    expect(givenLanguage("en-GB")).to.deep.equal({ code: "en", iso6393: "eng", confidence: 1 });
  });
});
