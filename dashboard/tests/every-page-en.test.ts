// Every page in English.
import { checkEveryPage } from "./support/every-page";

checkEveryPage("en-GB");
