// The page of the service; each section is a module of its own.

import { startDigit } from "./digit.js";
import { startLanguage } from "./language.js";
import { startModels } from "./models.js";
import { startReview } from "./review.js";

startLanguage();
startReview();
startDigit();
startModels();
